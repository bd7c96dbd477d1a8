package config_test

import (
	"testing"
)

func TestCredentials(t *testing.T) {
	const folder = "CREDENTIALS_DIRECTORY=/run/credentials/ocspcgi.service"
	for _, c := range []struct{ name, args, environ, file, want, fault string }{
		{"flags", "-index i -CA c -rsigner s -rkey credential:k -passin credential:p", folder, "",
			"i c 12h0m0s [s /run/credentials/ocspcgi.service/k file:/run/credentials/ocspcgi.service/p]", ""},
		{"environment", "", folder + ";OCSP_INDEX=i;OCSP_CA=c;OCSP_RSIGNER=credential:both", "",
			"i c 12h0m0s [/run/credentials/ocspcgi.service/both /run/credentials/ocspcgi.service/both ]", ""},
		{"file", "", folder, "[[issuer]]\nindex='/i'\nCA='/c'\nrsigner='/s'\nrkey='credential:k'\npassin='credential:p'\n",
			"/i /c 12h0m0s [/s /run/credentials/ocspcgi.service/k file:/run/credentials/ocspcgi.service/p]", ""},
		{"PIN of a token", "-index i -CA c -rsigner s -rkey pkcs11:token=t;object=o?pin-source=credential:p&module-path=/m", folder, "",
			"i c 12h0m0s [s pkcs11:token=t;object=o?pin-source=file:/run/credentials/ocspcgi.service/p&module-path=/m ]", ""},
		{"PIN in front", "-index i -CA c -rsigner s -rkey pkcs11:token=t;pin-source=credential:p?module-path=/m", folder, "",
			"i c 12h0m0s [s pkcs11:token=t;pin-source=file:/run/credentials/ocspcgi.service/p?module-path=/m ]", ""},
		{"token in a file", "", "", "[[issuer]]\nindex='/i'\nCA='/c'\nrsigner='/s'\nrkey='pkcs11:token=t?pin-source=file:/p'\n",
			"/i /c 12h0m0s [/s pkcs11:token=t?pin-source=file:/p ]", ""},
		{"signer process in a file", "", "", "[[issuer]]\nindex='/i'\nCA='/c'\nrsigner='/s'\nrkey='unix:/run/s'\n",
			"/i /c 12h0m0s [/s unix:/run/s ]", ""},
		{"no PIN by systemd", "-index i -CA c -rsigner s -rkey pkcs11:token=t?pin-source=credential:p", "", "", "",
			`command line, argument 5: pin-source "credential:p": CREDENTIALS_DIRECTORY is not set; systemd sets it for a unit with LoadCredential=p:PATH`},
		{"not by systemd", "-index i -CA c -rsigner s -rkey credential:k", "", "", "",
			`command line, argument 5: rkey "credential:k": CREDENTIALS_DIRECTORY is not set; systemd sets it for a unit with LoadCredential=k:PATH`},
		{"a path", "-index i -CA c -rsigner s -passin credential:../p", folder, "", "",
			`command line, argument 5: passin "credential:../p": give the name of a credential behind credential:, without /`},
		{"only a signer has them", "-index credential:i -CA c -rsigner s", folder, "", "credential:i c 12h0m0s [s s ]", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg, _, err := load(t, c.args, c.environ, c.file)
			switch {
			case c.fault == "" && err != nil:
				t.Error(err)
			case c.fault != "" && (err == nil || err.Error() != c.fault):
				t.Errorf("got  %v\nwant %s", err, c.fault)
			case short(cfg.Issuers) != c.want:
				t.Errorf("got  %s\nwant %s", short(cfg.Issuers), c.want)
			}
		})
	}
}
