package check

import (
	"cmp"
	"strings"
)

// cause is what stands between a client and the program.
type cause string

const (
	slashEscaped cause = "a server answers in place of the program where the path has %2F"
	slashMerged  cause = "slashes are merged or cut on the way"
	nothingThere cause = "no program stands behind this address"
	notAllowed   cause = "the server may not run the program, or the client may not ask"
	noVariables  cause = "the server does not tell the program what is asked"
	notReached   cause = "the server does not reach the program"
	notStarted   cause = "the program does not start, or dies"
	noSettings   cause = "the program has no settings that it could answer with"
	notServed    cause = "the responder does not answer for this CA"
	notReady     cause = "its index or its signer cannot be used now"
	otherIndex   cause = "the responder answers from another index"
	wantsSigned  cause = "it answers signed requests alone"
	noLength     cause = "no Content-Length: an answer that broke off looks like a whole one, and wolfSSL reads none"
	wrongType    cause = "the server changes the type of what passes through"
	noLimit      cause = "the program refuses it; the server could before"
	lowLimit     cause = "the server refuses a request of usual size"
	tracing      cause = "whoever can have a client send it sees those"
	notChunked   cause = "the server takes no chunked body"
	redirected   cause = "clients of OCSP follow no redirect"
)

// directives are what to add, to the web server that calls itself so; "" has
// what holds for all others.
func directives() map[cause]map[string]string {
	return map[cause]map[string]string{
		slashEscaped: {
			"apache": "AllowEncodedSlashes NoDecode, in the <VirtualHost>",
			"nginx":  "fastcgi_param REQUEST_URI $request_uri (include fastcgi_params has it); behind proxy_pass no path, or it is decoded",
			"":       "have the server pass the path on as it came",
		},
		slashMerged: {
			"apache": "MergeSlashes Off, in the <VirtualHost>; AllowEncodedSlashes NoDecode beside it",
			"nginx":  "merge_slashes off, in the server block; fastcgi_param REQUEST_URI $request_uri (include fastcgi_params has it)",
			"":       "have the server pass the path on as it came (REQUEST_URI), and redirect nothing",
		},
		nothingThere: {
			"apache":   `RewriteRule "^/ocsp(/.*)?$" "/usr/lib/cgi-bin/ocspcgi" [H=cgi-script,QSD,L], or ScriptAlias or ProxyPass, for this path`,
			"nginx":    "location ^~ /ocsp { include fastcgi_params; fastcgi_pass unix:/run/ocspcgi/ocspcgi.sock; } for this path",
			"lighttpd": `fastcgi.server = ( "/ocsp" => (( "socket" => "/run/ocspcgi/ocspcgi.sock", "check-local" => "disable" )) )`,
			"caddy":    "route /ocsp* { reverse_proxy unix//run/ocspcgi/ocspcgi.sock { transport fastcgi } }",
			"":         "look at the URL, and at what the server has for its path",
		},
		notAllowed: {
			"apache": "Require all granted and Options +ExecCGI, in the <Directory> of the program; and RewriteRule, ScriptAlias or ProxyPass for this path",
			"nginx":  "no deny or auth_basic in the location",
			"":       "let everybody ask: clients have no name and no pass phrase",
		},
		noVariables: {
			"nginx": "include fastcgi_params, in the location",
			"":      "have the server pass REQUEST_METHOD, REQUEST_URI, CONTENT_TYPE and CONTENT_LENGTH",
		},
		notReached: {
			"apache":   "start ocspcgi with -listen unix:PATH, and have the same PATH in ProxyPass; its group must be that of Apache (listen_group)",
			"nginx":    "start ocspcgi with -listen unix:PATH, and have the same PATH in fastcgi_pass; its group must be that of nginx (listen_group)",
			"lighttpd": `start ocspcgi with -listen unix:PATH, and have the same PATH as "socket"`,
			"":         "start ocspcgi, and have the server connect to where it listens",
		},
		notStarted: {
			"apache": "look into Apache's error.log; SetHandler or [H=cgi-script] needs `a2enmod cgi`, and Options +ExecCGI",
			"":       "look into the server's error log and the program's (-log)",
		},
		noSettings: {
			"apache": "SetEnv OCSP_CONFIG \"/etc/ocspcgi/ocspcgi.toml\" for the program, or OCSP_INDEX, OCSP_CA and OCSP_RSIGNER; then look into error.log",
			"":       "run ocspcgi check with the responder's own settings, and look into its log",
		},
		notServed:   {"": "give it the -CA, -index and -rsigner of this one too; after a new key of the CA, of both keys"},
		notReady:    {"": "run ocspcgi check with the responder's own settings, and look into its log"},
		otherIndex:  {"": "copy index.txt to where the responder reads it; a SIGHUP has it believe what it would not"},
		wantsSigned: {"": "no client but your own can ask: leave out require_signed, if that is not meant"},
		noLength: {
			"apache": "SetEnv ap_trust_cgilike_cl yes: from 2.4.59 on Apache takes Content-Length away without it",
			"nginx":  "chunked_transfer_encoding and gzip have no place here; send Content-Length",
			"":       "have the server pass Content-Length on",
		},
		wrongType: {
			"apache": "no AddDefaultCharset, ForceType or output filter for this path",
			"nginx":  "no charset, gzip or default_type for this path",
			"":       "have the server pass Content-Type on as it came",
		},
		noLimit: {
			"apache":   "LimitRequestBody 65536 before a CGI program; before ProxyPass: RewriteCond expr \"%{HTTP:Content-Length} -gt 65536\" with RewriteRule - [R=413,L]",
			"nginx":    "client_max_body_size 64k, in the location",
			"lighttpd": "server.max-request-size = 64",
			"caddy":    "request_body { max_size 64KB }",
		},
		lowLimit: {
			"apache": "LimitRequestBody 65536, not less",
			"nginx":  "client_max_body_size 64k, not less",
			"":       "let bodies of up to 64 KiB through",
		},
		tracing: {
			"apache": "TraceEnable Off",
			"":       "turn TRACE off in the server",
		},
		notChunked: {
			"apache":   "no RewriteCond on Transfer-Encoding; mod_proxy_fcgi passes chunked bodies on",
			"lighttpd": "server.stream-request-body = 0",
			"":         "have the server read chunked bodies whole before it passes them on",
		},
		redirected: {
			"apache": "no Redirect or RewriteRule to https for this path",
			"nginx":  "no return 301 for this path: a server block on port 80 that answers itself",
			"caddy":  "write the site as http://NAME, so that Caddy does not redirect it to https",
			"":       "answer on plain http",
		},
	}
}

// named are the servers with directives of their own, as people know them.
var named = [...]struct{ key, name string }{{"apache", "Apache"}, {"nginx", "nginx"}, {"lighttpd", "lighttpd"}, {"caddy", "Caddy"}}

// remedy is what to add to a server; to each that is known when it is not said
// which one it is.
func (c cause) remedy(server string) string {
	known := directives()[c]
	if server != "" && known[server]+known[""] != "" {
		return cmp.Or(known[server], known[""])
	}
	var all []string
	for _, n := range named {
		if text := known[n.key]; text != "" {
			all = append(all, n.name+": "+text)
		}
	}
	switch rest := known[""]; {
	case rest != "" && len(all) > 0:
		all = append(all, "else: "+rest)
	case rest != "":
		all = append(all, rest)
	}
	return strings.Join(all, "\n")
}
