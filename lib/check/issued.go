package check

import (
	"bytes"
	"cmp"
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"ocspcgi/lib/index"
	"ocspcgi/lib/signer"
)

// maxIssued is how many issued certificates are looked at.
const maxIssued = 10_000

// certificate is one that a CA has issued, or so it seems.
type certificate struct {
	path string
	*x509.Certificate
	status index.Status // of its row; 0: none
	line   int
}

// folder has the certificates that a CA has issued, by their serial numbers.
type folder struct {
	path  string
	certs map[string]*certificate
	most  bool // there are more than are looked at
}

// folder reads the issued certificates: those in the folder of -certs, else in
// the one beside the index where openssl ca or easy-rsa keeps them by number. It
// is nil where there is none.
func (c *Checker) folder(i *issuer) *folder {
	if i.ca == nil {
		return nil
	}
	path := c.told.certs
	if path == "" {
		path = beside(filepath.Dir(i.index.Path))
	}
	if path == "" {
		return nil
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		c.add(row{Level: warning, File: path, Text: "the issued certificates are not looked at: " + err.Error()})
		return nil
	}
	f := &folder{path: path, certs: map[string]*certificate{}}
	for _, e := range entries {
		if !slices.Contains([]string{".pem", ".crt", ".cer", ".der"}, filepath.Ext(e.Name())) {
			continue
		}
		if len(f.certs) == maxIssued {
			f.most = true
			break
		}
		name := filepath.Join(path, e.Name())
		certs, err := signer.ReadCertificates(name)
		if err != nil || certs[0].IsCA && bytes.Equal(certs[0].RawIssuer, certs[0].RawSubject) {
			continue // a key or a request, or the CA itself
		}
		f.certs[string(serialOf(certs[0]))] = &certificate{path: name, Certificate: certs[0]}
	}
	return f
}

// beside finds the folder of certificates by number, as openssl.cnf and easy-rsa
// have it.
func beside(dir string) string {
	for _, name := range []string{"newcerts", "certs_by_serial"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err == nil && info.IsDir() {
			return filepath.Join(dir, name)
		}
	}
	return ""
}

// listed notes that the index has a row for a certificate.
func (f *folder) listed(r *index.Row) {
	if cert := f.certs[string(r.Serial)]; cert != nil && (cert.status == 0 || r.Status == index.Revoked) {
		cert.status, cert.line = r.Status, r.Line
	}
}

// issued compares the certificates with the index and with what they say of the
// responder.
func (c *Checker) issued(i *issuer, f *folder) {
	if f == nil {
		return
	}
	all := make([]*certificate, 0, len(f.certs))
	for _, cert := range f.certs {
		all = append(all, cert)
	}
	slices.SortFunc(all, func(a, b *certificate) int { return cmp.Compare(a.path, b.path) })
	strangers, missing := crowd{c: c}, crowd{c: c}
	own := all[:0]
	for _, cert := range all {
		if !signer.Issued(i.ca, cert.Certificate) {
			if cert.status != 0 {
				strangers.add(row{Level: warning, File: i.index.Path, Line: cert.line, Text: fmt.Sprintf("a row of another CA: %s with that serial was issued by %q, not by %q; answered for the latter",
					cert.path, cert.Issuer.String(), i.ca.Subject.String()), Remedy: "give each CA its own index"})
			}
			continue
		}
		if own = append(own, cert); cert.status == 0 && c.now().Before(cert.NotAfter) {
			missing.add(row{Level: warning, File: cert.path, Text: fmt.Sprintf("serial %s is not in %s; not known to the responder", serialHex(cert.Certificate), i.index.Path),
				Remedy: "openssl ca -valid " + cert.path + " adds it"})
		}
	}
	strangers.close()
	missing.close()
	c.pointers(i, f, own)
	c.mustStaple(i, own)
}

// inUse are the certificates that somebody may still present.
func (c *Checker) inUse(certs []*certificate) []*certificate {
	return slices.DeleteFunc(slices.Clone(certs), func(cert *certificate) bool {
		return cert.status == index.Revoked || c.now().After(cert.NotAfter) || slices.Contains(cert.ExtKeyUsage, x509.ExtKeyUsageOCSPSigning)
	})
}

// pointers looks at where certificates send those who want to know their status.
func (c *Checker) pointers(i *issuer, f *folder, certs []*certificate) {
	certs = c.inUse(certs)
	if f.most {
		c.add(row{Level: hint, File: f.path, Text: fmt.Sprintf("only %d certificates are looked at", maxIssued)})
	}
	if len(certs) == 0 {
		return
	}
	want := strings.TrimRight(c.told.url, "/")
	none, elsewhere := crowd{c: c}, crowd{c: c}
	silent := 0
	for _, cert := range certs {
		switch {
		case len(cert.OCSPServer) == 0:
			if silent++; c.told.url != "" {
				none.add(row{Level: warning, File: cert.path, Text: "does not say where its status is to be had", Remedy: "issue it with authorityInfoAccess = OCSP;URI:" + c.told.url})
			}
		case want != "" && !slices.ContainsFunc(cert.OCSPServer, func(u string) bool { return strings.TrimRight(u, "/") == want }):
			elsewhere.add(row{Level: warning, File: cert.path, Text: "its status is to be had at " + strings.Join(cert.OCSPServer, ", "), Remedy: "answer there too, or issue it anew with OCSP;URI:" + c.told.url})
		case slices.ContainsFunc(cert.OCSPServer, func(u string) bool { return !strings.HasPrefix(u, "http://") }):
			elsewhere.add(row{Level: warning, File: cert.path, Text: "its status is to be had at " + strings.Join(cert.OCSPServer, ", ") + ": clients ask by plain http alone", Remedy: "issue it with OCSP;URI:http://..."})
		}
	}
	none.close()
	elsewhere.close()
	switch {
	case silent == len(certs) && c.told.url == "":
		c.add(row{Level: hint, File: f.path, Text: fmt.Sprintf("none of %s says where its status is to be had: nobody will ask", plural(len(certs), "certificate")), Remedy: "authorityInfoAccess = OCSP;URI:http://... in openssl.cnf, and -url checks it"})
	case silent+elsewhere.n == 0:
		c.ok(f.path, "%s in use, whose status is to be had at %s", plural(len(certs), "certificate"), strings.Join(certs[0].OCSPServer, ", "))
	}
}

// staples tells whether a certificate demands that its status be stapled
// (RFC 7633): the TLS feature status_request, 5.
func staples(cert *x509.Certificate) bool {
	for _, e := range cert.Extensions {
		if !e.Id.Equal(asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 24}) {
			continue
		}
		var features []int
		_, err := asn1.Unmarshal(e.Value, &features)
		return err == nil && slices.Contains(features, 5)
	}
	return false
}

func serialHex(cert *x509.Certificate) string { return strings.ToUpper(cert.SerialNumber.Text(16)) }
