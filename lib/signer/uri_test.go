package signer_test

import (
	"strings"
	"testing"

	"ocspcgi/lib/signer"
)

const module = "module-path=/usr/lib/softhsm/libsofthsm2.so"

func TestURIRefused(t *testing.T) {
	const known = "pkcs11:token=t;object=o"
	for _, c := range []struct{ name, uri, want string }{
		{"no module", known, known + ": no module-path; add ?module-path=FILE with the PKCS#11 library of the token, such as /usr/lib/softhsm/libsofthsm2.so"},
		{"no key", "pkcs11:token=t?" + module, "pkcs11:token=t: no key is named; add object=LABEL or id=%01, as pkcs11-tool --list-objects shows them"},
		{"no token", "pkcs11:object=o?" + module, "pkcs11:object=o: no token is named; add token=LABEL, serial=NUMBER or slot-id=N, as pkcs11-tool --list-slots shows them"},
		{"unknown in front", "pkcs11:token=t;obejct=o?" + module, "pkcs11:token=t;obejct=o: obejct is not known before ?; token, serial, model, manufacturer, slot-id, object, id and type are"},
		{"unknown behind", known + "?" + module + "&x-pin=1", known + ": x-pin is not known behind ?; module-path and pin-source are"},
		{"module in front", known + ";" + module, known + ";" + module + ": module-path belongs behind ?, with & between several"},
		{"pin-source in both", known + ";pin-source=file:/p?" + module + "&pin-source=file:/q", known + ";pin-source=file:/p: pin-source is given twice"},
		{"relative module", known + "?module-path=softhsm.so", known + ": module-path=softhsm.so is not absolute; begin it with /"},
		{"module by name", known + "?module-name=softhsm2", known + ": module-name is not looked for; give module-path=FILE"},
		{"pin-value", known + "?" + module + "&pin-value=98765", known + ": pin-value shows the PIN to whoever lists processes; write it to a file and give that with pin-source=file:PATH or -passin file:PATH"},
		{"pin-value in front", known + ";pin-value=98765?" + module, "pkcs11:: pin-value shows the PIN to whoever lists processes; write it to a file and give that with pin-source=file:PATH or -passin file:PATH"},
		{"pin-source a program", known + "?" + module + "&pin-source=%7Cpin", known + ": pin-source: give file:PATH or credential:NAME"},
		{"public key", known + ";type=public?" + module, known + ";type=public: type=public does not sign; give type=private or leave it out"},
		{"slot", known + ";slot-id=x?" + module, known + ";slot-id=x: slot-id is no number"},
		{"escape", "pkcs11:token=t;id=%0?" + module, "pkcs11:token=t;id=%0: id: % is not followed by two hexadecimal digits; write %25 for %"},
		{"twice", known + ";object=p?" + module, known + ";object=p: object is given twice"},
		{"empty", "pkcs11:token=;object=o?" + module, "pkcs11:token=;object=o: token is empty; give a value or leave it out"},
		{"no =", "pkcs11:token;object=o?" + module, "pkcs11:token;object=o: an attribute without =; write NAME=VALUE, with %3B for ; and %25 for %"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := signer.ParseURI(c.uri)
			if err == nil {
				t.Fatal("no error")
			}
			if err.Error() != c.want {
				t.Errorf("error\n got %s\nwant %s", err, c.want)
			}
			if strings.Contains(err.Error(), "98765") {
				t.Error("the PIN is in the error")
			}
		})
	}
}

func TestURI(t *testing.T) {
	for _, c := range []struct{ uri, want string }{
		{"pkcs11:token=My%20CA;object=ocsp%3B1;type=private?" + module, `token "My CA", object "ocsp;1", id "", pin ""`},
		{"pkcs11:serial=12;id=%01%ff;model=SoftHSM%20v2;manufacturer=x?pin-source=file:/run/pin&" + module, `token "", object "", id "\x01\xff", pin "/run/pin"`},
		{"pkcs11:slot-id=7;object=o?pin-source=file:///run/pin&" + module, `token "", object "o", id "", pin "/run/pin"`},
		{"pkcs11:token=t;object=o;pin-source=file:/run/pin?" + module, `token "t", object "o", id "", pin "/run/pin"`},
		{"pkcs11:slot-id=7;object=o?pin-source=/run/pin&" + module, `token "", object "o", id "", pin "/run/pin"`},
	} {
		got, err := signer.ParseURI(c.uri)
		if err != nil {
			t.Errorf("%s: %v", c.uri, err)
		} else if got != c.want {
			t.Errorf("%s: %s, want %s", c.uri, got, c.want)
		}
	}
}

// Whatever a URI is, no PIN of it is in an error, and nothing of its query in
// what the key is called.
func FuzzURI(f *testing.F) {
	for _, seed := range []string{
		"pkcs11:token=t;object=o?" + module, "pkcs11:", "pkcs11:?", "pkcs11:id=%01;serial=1?pin-source=file:/p&" + module,
		"pkcs11:token=t;object=o?pin-value=1234&" + module, "pkcs11:%", "pkcs11:a=b=c;;=?&&=",
		"pkcs11:token=The%20Software%20PKCS%2311%20Softtoken;manufacturer=Snake%20Oil,%20Inc.;model=1.0;object=my-certificate;type=cert;id=%69%95%3E%5C%F4%BD%EC%91;serial=",
		"pkcs11:object=my-pubkey;type=public", "pkcs11:object=my-sign-key;type=private?pin-source=file:/etc/token", "pkcs11:token=Software%20PKCS%2311%20softtoken;manufacturer=Snake%20Oil,%20Inc.?pin-value=the-pin",
		"pkcs11:slot-description=Sun%20Metaslot", "pkcs11:library-manufacturer=Snake%20Oil,%20Inc.;library-description=Soft%20Token%20Library;library-version=1.23",
		"pkcs11:token=My%20token%25%20created%20by%20Joe;library-version=3;id=%01%02%03%Ba%dd%Ca%fe%04%05%06", "pkcs11:token=A%20name%20with%20a%20substring%20%25%3B;object=my-certificate;type=cert",
		"pkcs11:token=Name%20with%20a%20small%20A%20with%20acute:%20%C3%A1;object=my-certificate;type=cert", "pkcs11:token=my-token;object=my-certificate;type=cert;vendor-aaa=value-a?pin-source=file:/etc/token&vendor-bbb=value-b",
		"pkcs11:slot-id=0;id=%FF?" + module, "pkcs11:slot-id=18446744073709551616;object=o?" + module, "pkcs11:token=t;object=o?pin-source=%7C/usr/bin/echo&" + module,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		uri := "pkcs11:" + strings.TrimPrefix(text, "pkcs11:")
		const secret = "Secret-PIN-31337"
		for _, with := range []string{uri, uri + "&pin-value=" + secret, uri + "?pin-value=" + secret, uri + ";pin-value=" + secret} {
			if _, err := signer.ParseURI(with); err != nil && strings.Contains(err.Error(), secret) {
				t.Errorf("%q: %v", with, err)
			}
		}
	})
}
