package command

import (
	"fmt"
	"os"
	"strings"
)

// demoConfig is how the demonstration's CA works; DIR stands for its folder.
const demoConfig = `# made by ocspcgi demo, which makes it anew each time
[ca]
default_ca = demo
[demo]
dir = DIR
database = $dir/index.txt
new_certs_dir = $dir/newcerts
serial = $dir/serial
certificate = $dir/ca.pem
private_key = $dir/ca.key
default_md = sha256
default_days = 30
policy = any
unique_subject = no
[any]
commonName = supplied
[req]
distinguished_name = none
[none]
[root]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign, cRLSign, digitalSignature
subjectKeyIdentifier = hash
[server]
basicConstraints = CA:false
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
[responder]
basicConstraints = CA:false
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, OCSPSigning
noCheck = ignored
`

// makeCA makes the CA, a responder's certificate and two more, one of them
// revoked, as a person would with openssl.
func (d *demo) makeCA() error {
	if err := d.makeFolder(); err != nil {
		return err
	}
	if _, err := d.openssl("req", "-config", "openssl.cnf", "-x509", "-extensions", "root", "-subj", "/CN=Demo CA",
		"-days", "365", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "ca.key", "-out", "ca.pem"); err != nil {
		return err
	}
	for _, cert := range []struct{ name, section string }{{"ocsp", "responder"}, {"good", "server"}, {"revoked", "server"}} {
		if err := d.issue(cert.name, cert.section); err != nil {
			return err
		}
	}
	if _, err := d.openssl("ca", "-config", "openssl.cnf", "-revoke", "revoked.pem", "-crl_reason", "keyCompromise"); err != nil {
		return err
	}
	fmt.Fprintf(d.out, "A CA with two certificates, one of them revoked, is in %s\n", d.dir)
	return nil
}

func (d *demo) issue(name, section string) error {
	if _, err := d.openssl("req", "-config", "openssl.cnf", "-new", "-subj", "/CN="+name+".example.com",
		"-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", name+".key", "-out", name+".csr"); err != nil {
		return err
	}
	_, err := d.openssl("ca", "-config", "openssl.cnf", "-batch", "-notext", "-extensions", section,
		"-in", name+".csr", "-out", name+".pem")
	return err
}

// makeFolder makes an empty folder with what openssl ca needs to begin. A
// folder that is there is taken only if an earlier demonstration made it.
func (d *demo) makeFolder() error {
	if entries, err := os.ReadDir(d.dir); err == nil && len(entries) > 0 {
		first, _, _ := strings.Cut(demoConfig, "\n")
		if old, err := os.ReadFile(d.path("openssl.cnf")); err != nil || !strings.HasPrefix(string(old), first) {
			return fmt.Errorf("%s is there, and no demo made it: name another folder", d.dir)
		}
		if err := os.RemoveAll(d.dir); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(d.path("newcerts"), 0o755); err != nil {
		return err
	}
	for name, text := range map[string]string{
		"openssl.cnf": strings.ReplaceAll(demoConfig, "DIR", d.dir), "index.txt": "", "serial": "1000\n",
	} {
		if err := os.WriteFile(d.path(name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}
