package config_test

import "testing"

func TestCADir(t *testing.T) {
	for _, c := range []struct{ name, args, environ, file, want, fault string }{
		{"environment", "", "OCSP_CA_DIR=d;OCSP_PASSIN=env:P", "", " d/ 12h0m0s [  env:P]", ""},
		{"file", "", "", "[[issuer]]\nca-dir='/d'\npassin='env:P'\nnmin=60\n[[issuer]]\nca-dir='/e'\n", " /d/ 1h0m0s [  env:P];  /e/ 12h0m0s [  ]", ""},
		{"both", "", "OCSP_CA_DIR=d;OCSP_INDEX=i", "", "", "environment: both OCSP_INDEX and OCSP_CA_DIR; leave one of them out"},
		{"a key without its certificate", "-ca-dir d -rkey k", "", "", "", "command line, argument 1: no -rsigner; name the certificate that belongs to the key"},
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
