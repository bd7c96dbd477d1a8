package config

import (
	"strings"
)

// setting is one row of the table that all readers and the documentation work
// from. It belongs to the Config, to an issuer or to a signer; one that belongs
// to none is a flag of openssl that is taken and changes nothing.
type setting struct {
	name     string // as flag and in TOML
	kind     kind
	initial  string // default, as it would be written
	help     string
	flagOnly bool
	choices  string // the words of a choice, separated by spaces

	global func(*Config) any
	issuer func(*draft) any
	signer func(*Signer) any
}

// settings never change.
var settings = [...]setting{
	{name: "index", kind: path, issuer: func(d *draft) any { return &d.Index }, help: "the `index.txt` that `openssl ca` keeps; begins the next issuer"},
	{name: "ca-dir", kind: path, issuer: func(d *draft) any { return &d.CADir }, help: "the directory of a CA, where `index.txt`, its certificate, and who signs are found by the ways of `openssl ca`, easy-rsa, qpki and TinyCA; in the place of `index`, and begins the next issuer as that does"},
	{name: "CA", kind: path, issuer: func(d *draft) any { return &d.CA }, help: "certificate of the CA, also within a chain"},
	{name: "rsigner", kind: path, signer: func(s *Signer) any { return &s.RSigner }, help: "certificate that signs the answers; may be given again for a second signer"},
	{name: "rkey", kind: path, signer: func(s *Signer) any { return &s.RKey }, help: "its key; without, the `rsigner` file has it; `credential:NAME` is one of systemd's, `unix:PATH` the socket of `ocspcgi signer`, `pkcs11:…` a key in a token (`make pkcs11`)"},
	{name: "passin", kind: passin, signer: func(s *Signer) any { return &s.PassIn }, help: "pass phrase of the key: `pass:PHRASE`, `env:NAME`, `file:PATH`, `fd:N`, `stdin`, or `credential:NAME` from systemd"},
	{name: "rother", kind: paths, issuer: func(d *draft) any { return &d.ROther }, help: "more certificates to send with the answer"},
	{name: "rmd", kind: text, issuer: func(d *draft) any { return &d.RMD }, help: "digest of the signature: `sha256`, `sha384` or `sha512`; without, the one that belongs to the key"},
	{name: "rsigopt", kind: words, issuer: func(d *draft) any { return &d.RSigOpt }, help: "`rsa_padding_mode:pss` signs with RSA-PSS"},
	{name: "nmin", kind: count, issuer: func(d *draft) any { return &d.nmin }, help: "minutes until nextUpdate; added to `ndays`; 12 hours without both"},
	{name: "ndays", kind: count, issuer: func(d *draft) any { return &d.ndays }, help: "days until nextUpdate; added to `nmin`"},
	{name: "resp_no_certs", kind: boolean, issuer: func(d *draft) any { return &d.RespNoCerts }, help: "send no certificates with the answer"},

	{name: "config", kind: path, initial: DefaultFile, help: "the file with these settings"},
	{name: "listen", kind: listen, global: func(c *Config) any { return &c.Listen }, help: "`unix:PATH` or `tcp:HOST:PORT` for FastCGI, `http:HOST:PORT` for HTTP"},
	{name: "port", kind: port, global: func(c *Config) any { return &c.Port }, help: "`[HOST:]N`: HTTP on that port"},
	{name: "admin", kind: address, global: func(c *Config) any { return &c.Admin }, help: "`http:HOST:PORT` or `unix:PATH`: metrics, health and a status page for operators, over HTTP"},
	{name: "listen_mode", kind: mode, initial: "0660", global: func(c *Config) any { return &c.ListenMode }, help: "mode of unix sockets"},
	{name: "listen_group", kind: text, global: func(c *Config) any { return &c.ListenGroup }, help: "group of unix sockets"},
	{name: "confine", kind: boolean, initial: "true", global: func(c *Config) any { return &c.Confine }, help: "once all is open, open nothing but what is read again: by Landlock, on OpenBSD by pledge and unveil"},
	{name: "pid_file", kind: path, global: func(c *Config) any { return &c.PidFile }, help: "where to write the process id"},
	{name: "timeout", kind: seconds, global: func(c *Config) any { return &c.Timeout }, help: "time for a request to arrive, in seconds or as a duration"},
	{name: "log", kind: path, global: func(c *Config) any { return &c.Log }, help: "file for the log; stderr without"},
	{name: "log_level", kind: choice, choices: "debug info warn error", global: func(c *Config) any { return &c.LogLevel }, help: "least level that is logged: `debug`, `info`, `warn` or `error`; without, `info`, in CGI `warn`"},
	{name: "log_remote", kind: boolean, initial: "true", global: func(c *Config) any { return &c.LogRemote }, help: "log the address of the client"},
	{name: "hyperlink", kind: text, global: func(c *Config) any { return &c.Hyperlink }, help: "where the page for people points to"},
	{name: "form", kind: boolean, global: func(c *Config) any { return &c.Form }, help: "let people ask on the page, by serial number or certificate"},
	{name: "nonces", kind: choice, choices: "echo ignore", initial: "echo", global: func(c *Config) any { return &c.Nonces }, help: "`echo` or `ignore`"},
	{name: "unassigned", kind: choice, choices: "unknown unauthorized revoked", initial: "unknown", global: func(c *Config) any { return &c.Unassigned }, help: "answer for a serial that is not in the index: `unknown`, `unauthorized` or `revoked`"},
	{name: "profile", kind: choice, choices: "public", global: func(c *Config) any { return &c.Profile }, help: "`public` refuses at start what the rules for publicly trusted CAs forbid"},
	{name: "any_type", kind: boolean, global: func(c *Config) any { return &c.AnyType }, help: "answer a POST of every content type"},
	{name: "backdate", kind: duration, initial: "5m", global: func(c *Config) any { return &c.Backdate }, help: "how far thisUpdate lies back"},
	{name: "archive", kind: duration, global: func(c *Config) any { return &c.Archive }, help: "archiveCutoff in answers about expired certificates"},
	{name: "require_signed", kind: paths, global: func(c *Config) any { return &c.RequireSigned }, help: "answer only requests that certificates of these CAs signed"},
	{name: "resp_name_id", kind: boolean, global: func(c *Config) any { return &c.RespNameID }, help: "name the responder by its subject, not by its key"},
	{name: "cache", kind: path, global: func(c *Config) any { return &c.Cache }, help: "directory where CGI processes keep what others need: signed answers, what the index said"},
	{name: "cache_bytes", kind: size, initial: "64MiB", global: func(c *Config) any { return &c.CacheBytes }, help: "room for signed answers in memory"},

	{name: "reqin", kind: path, flagOnly: true, global: func(c *Config) any { return &c.ReqIn }, help: "answer the request in this file; `-` for stdin"},
	{name: "respout", kind: path, flagOnly: true, global: func(c *Config) any { return &c.RespOut }, help: "file for that answer; `-` for stdout"},
	{name: "reqout", kind: path, flagOnly: true, global: func(c *Config) any { return &c.ReqOut }, help: "file for a copy of the request"},
	{name: "out", kind: path, flagOnly: true, global: func(c *Config) any { return &c.Out }, help: "file for the text of `-text`; stderr without"},
	{name: "text", kind: boolean, flagOnly: true, global: func(c *Config) any { return &c.Text }, help: "show request and answer as text"},
	{name: "req_text", kind: boolean, flagOnly: true, global: func(c *Config) any { return &c.ReqText }, help: "show the request as text"},
	{name: "resp_text", kind: boolean, flagOnly: true, global: func(c *Config) any { return &c.RespText }, help: "show the answer as text"},
	{name: "nrequest", kind: count, flagOnly: true, global: func(c *Config) any { return &c.NRequest }, help: "end after this many answers"},
	{name: "help", kind: boolean, flagOnly: true, global: func(c *Config) any { return &c.Help }, help: "show how to call the program"},
	{name: "badsig", kind: refused, flagOnly: true, help: "broken signatures are not made here"},

	{name: "rcid", kind: unusedValue, help: "the answer repeats the CertID of the request"},
	{name: "nonce", kind: unused, help: "the answer has a nonce when the request has one"},
	{name: "resp_key_id", kind: unused},
	{name: "ignore_err", kind: unused},
	{name: "multi", kind: unusedValue},
	{name: "no_certs", kind: unused, help: forClients}, {name: "noverify", kind: unused, help: forClients},
	{name: "no_nonce", kind: unused, help: forClients}, {name: "no_signature_verify", kind: unused, help: forClients},
	{name: "no_cert_verify", kind: unused, help: forClients}, {name: "no_chain", kind: unused, help: forClients},
	{name: "no_cert_checks", kind: unused, help: forClients}, {name: "no_explicit", kind: unused, help: forClients},
	{name: "trust_other", kind: unused, help: forClients}, {name: "no_intern", kind: unused, help: forClients},
	{name: "signer", kind: unusedValue, help: forClients}, {name: "sign_other", kind: unusedValue, help: forClients},
	{name: "signkey", kind: unusedValue, help: forClients}, {name: "header", kind: unusedValue, help: forClients},
	{name: "url", kind: unusedValue, help: forClients}, {name: "host", kind: unusedValue, help: forClients},
	{name: "path", kind: unusedValue, help: forClients}, {name: "proxy", kind: unusedValue, help: forClients},
	{name: "no_proxy", kind: unusedValue, help: forClients}, {name: "respin", kind: unusedValue, help: forClients},
	{name: "issuer", kind: unusedValue, help: forClients}, {name: "cert", kind: unusedValue, help: forClients},
	{name: "serial", kind: unusedValue, help: forClients}, {name: "VAfile", kind: unusedValue, help: forClients},
	{name: "verify_other", kind: unusedValue, help: forClients}, {name: "validity_period", kind: unusedValue, help: forClients},
	{name: "status_age", kind: unusedValue, help: forClients},
	{name: "CAfile", kind: unusedValue, help: forClients}, {name: "CApath", kind: unusedValue, help: forClients},
	{name: "CAstore", kind: unusedValue, help: forClients}, {name: "no-CAfile", kind: unused, help: forClients},
	{name: "no-CApath", kind: unused, help: forClients}, {name: "no-CAstore", kind: unused, help: forClients},
	{name: "policy", kind: unusedValue, help: forClients}, {name: "purpose", kind: unusedValue, help: forClients},
	{name: "verify_name", kind: unusedValue, help: forClients}, {name: "verify_depth", kind: unusedValue, help: forClients},
	{name: "auth_level", kind: unusedValue, help: forClients}, {name: "attime", kind: unusedValue, help: forClients},
	{name: "verify_hostname", kind: unusedValue, help: forClients}, {name: "verify_email", kind: unusedValue, help: forClients},
	{name: "verify_ip", kind: unusedValue, help: forClients}, {name: "ignore_critical", kind: unused, help: forClients},
	{name: "issuer_checks", kind: unused, help: forClients}, {name: "crl_check", kind: unused, help: forClients},
	{name: "crl_check_all", kind: unused, help: forClients}, {name: "policy_check", kind: unused, help: forClients},
	{name: "explicit_policy", kind: unused, help: forClients}, {name: "inhibit_any", kind: unused, help: forClients},
	{name: "inhibit_map", kind: unused, help: forClients}, {name: "x509_strict", kind: unused, help: forClients},
	{name: "extended_crl", kind: unused, help: forClients}, {name: "use_deltas", kind: unused, help: forClients},
	{name: "policy_print", kind: unused, help: forClients}, {name: "check_ss_sig", kind: unused, help: forClients},
	{name: "trusted_first", kind: unused, help: forClients}, {name: "suiteB_128_only", kind: unused, help: forClients},
	{name: "suiteB_128", kind: unused, help: forClients}, {name: "suiteB_192", kind: unused, help: forClients},
	{name: "partial_chain", kind: unused, help: forClients}, {name: "no_alt_chains", kind: unused, help: forClients},
	{name: "no_check_time", kind: unused, help: forClients}, {name: "allow_proxy_certs", kind: unused, help: forClients},
	{name: "provider-path", kind: unusedValue, help: forOpenSSL}, {name: "provider", kind: unusedValue, help: forOpenSSL},
	{name: "propquery", kind: unusedValue, help: forOpenSSL},
	{name: "md4", kind: unused}, {name: "md5", kind: unused}, {name: "md5-sha1", kind: unused},
	{name: "mdc2", kind: unused}, {name: "ripemd", kind: unused}, {name: "ripemd160", kind: unused},
	{name: "rmd160", kind: unused}, {name: "sha1", kind: unused}, {name: "sha224", kind: unused},
	{name: "sha256", kind: unused}, {name: "sha384", kind: unused}, {name: "sha512", kind: unused},
	{name: "sha512-224", kind: unused}, {name: "sha512-256", kind: unused}, {name: "sha3-224", kind: unused},
	{name: "sha3-256", kind: unused}, {name: "sha3-384", kind: unused}, {name: "sha3-512", kind: unused},
	{name: "shake128", kind: unused}, {name: "shake256", kind: unused}, {name: "blake2b512", kind: unused},
	{name: "blake2s256", kind: unused}, {name: "sm3", kind: unused}, {name: "whirlpool", kind: unused},
}

const (
	forClients = "it is for clients and for verifying"
	forOpenSSL = "there is no OpenSSL here to load anything into"
)

// lookup finds a setting by its flag's name, which is nil when there is none.
func lookup(name string) *setting {
	for i := range settings {
		if settings[i].name == name {
			return &settings[i]
		}
	}
	return nil
}

// env is the setting's name in the environment.
func (s *setting) env() string {
	return "OCSP_" + strings.ToUpper(strings.ReplaceAll(s.name, "-", "_"))
}

// everywhere says whether the environment and the file may have it.
func (s *setting) everywhere() bool {
	return !s.flagOnly && s.kind != unused && s.kind != unusedValue
}

// ofIssuer says whether it belongs to an issuer or to its signer.
func (s *setting) ofIssuer() bool { return s.issuer != nil || s.signer != nil }

// repeats says whether several values add up.
func (s *setting) repeats() bool {
	switch s.kind {
	case paths, words, listen, unused, unusedValue:
		return true
	}
	return false
}

func (s *setting) takesValue() bool {
	return s.kind != boolean && s.kind != unused && s.kind != refused
}

func (s *setting) fallback() []value {
	if s.initial == "" {
		return nil
	}
	return []value{{text: s.initial, at: s.name}}
}
