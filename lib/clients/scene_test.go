package clients_test

import (
	"os"
	"path/filepath"
	"testing"

	"ocspcgi/lib/pkitest"
	"ocspcgi/lib/servertest"
)

// program is built once, by TestMain.
var program string

func TestMain(m *testing.M) { os.Exit(servertest.Main(m, &program)) }

// scene is a CA whose responder runs, with a certificate of each status that
// says where it does.
type scene struct {
	*servertest.Responder
	URL     string
	noChain bool // sites have their certificate alone
}

// setting is who signs, and what stands before the responder.
type setting struct {
	name      string
	key       string // of the CA, the signer and the certificates
	delegated bool
	path      string // in the responder's URL
	front     func(t testing.TB, s *scene, address string)
}

var settings = []setting{
	{name: "delegated P-256", key: "p256", delegated: true, front: straight},
	{name: "SGN-09 the CA itself P-256", key: "p256", front: straight},
	{name: "delegated RSA-2048", key: "rsa2048", delegated: true, front: straight},
	{name: "SGN-09 the CA itself RSA-2048", key: "rsa2048", front: straight},
	{name: "as CGI behind Apache", key: "p256", delegated: true, path: "/ocsp", front: behindApache},
	{name: "FastCGI behind nginx", key: "p256", delegated: true, path: "/ocsp", front: behindNginx},
}

// open makes the CA, and starts its responder.
func (set setting) open(t testing.TB) *scene {
	t.Helper()
	address := servertest.FreeAddress(t)
	s := &scene{URL: "http://" + address + set.path}
	key := pkitest.Key(set.key)
	ca := pkitest.New(t, key)
	company := &pkitest.Company{
		CA: ca,
		// Its request has slashes in its base64.
		Good:    ca.Issue("good", key, s.at(), pkitest.Serial("7FFFFFFFFFFBEFBE01")),
		Revoked: ca.Issue("revoked", key, s.at()),
		Unknown: ca.Unlisted("unknown", key, s.at()),
		Signer:  &pkitest.Signer{Leaf: pkitest.Leaf{Cert: ca.Cert, Key: ca.Key, Certificate: ca.Certificate}},
	}
	if set.delegated {
		company.Signer = ca.OCSPSigner("ocsp", key)
	}
	ca.Revoke(company.Revoked, "keyCompromise")
	s.Responder = servertest.Around(t, program, company)
	for _, leaf := range []*pkitest.Leaf{s.Good, s.Revoked, s.Unknown} {
		servertest.Own(t, leaf.Key)
	}
	set.front(t, s, address)
	return s
}

// at has a certificate say where its status is to be had.
func (s *scene) at() pkitest.Option {
	return pkitest.Extension("authorityInfoAccess", "OCSP;URI:"+s.URL)
}

// straight is a responder that listens on HTTP itself.
func straight(t testing.TB, s *scene, address string) { s.Listen(t, address) }

func behindApache(t testing.TB, s *scene, address string) {
	serve(t, servertest.Apache("event"), address, s.Snippet(t, "../../apache/cgi-path.conf", address))
}

func behindNginx(t testing.TB, s *scene, address string) {
	s.Serve(t)
	serve(t, servertest.Nginx, address, s.Snippet(t, "../../nginx/path.conf", address))
}

// chain is the path of a file with a certificate and that of the CA, as web
// servers are given it.
func (s *scene) chain(t testing.TB, leaf *pkitest.Leaf) string {
	t.Helper()
	if s.noChain {
		return leaf.Cert
	}
	path := filepath.Join(servertest.Room(t), "chain.pem")
	servertest.WriteFile(t, path, servertest.ReadFile(t, leaf.Cert)+servertest.ReadFile(t, s.CA.Chain()))
	return path
}
