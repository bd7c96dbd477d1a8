package guides_test

import (
	"os"
	"testing"
)

// What runs the rows of the checklist of guides that users start from, as they are
// written there:
//
//	0.1 0.5 0.7  ca.md
//	0.6          ca.md, nginx.md
//	1.7 1.11     cgi-script.md
//	1.8          deliver.md, and TestRows
//	1.9          firefox.md
//	2.1          must-staple.md for nginx; TestStaplers of lib/clients for all three
//	3.14 3.15    TestRows
//	4.1          must-staple.md, and TestRows for the renewals
//	4.2          must-staple.md; TestCheckStaple of lib/clients
//
// Of 4.1 not run: that 15 minutes go by for each renewal. The servers are told to
// renew instead. nginx would by itself after ten minutes each time.
func TestRows(t *testing.T) {
	if !*follow {
		t.Skip("make guides does it")
	}
	for _, row := range []struct{ rows, guide, script, want string }{
		{"1.8", "deliver", "scp.sh", `scp.pem: good
scp.pem: revoked
rsync.pem: good
rsync.pem: revoked
mv.pem: good
mv.pem: revoked
scp.pem: revoked
one.pem: revoked
mv.pem: revoked
`},
		{"3.14 3.15", "nginx", "interop.sh", `    Cert Status: good
Response verify OK
    Cert Status: good
Response verify OK
Response verify OK
two.pem: good
    Cert Status: revoked
Response verify OK
    Cert Status: revoked
Response verify OK
Response verify OK
www.pem: revoked
...
`},
		{"4.1", "must-staple", "renewals.sh", `a life of 15 minutes
port 443: 20 renewals
port 8443: 20 renewals
port 9443: 20 renewals
refused:
...
`},
	} {
		t.Run(row.rows, func(t *testing.T) {
			script, err := os.ReadFile("testdata/" + row.script)
			if err != nil {
				t.Fatal(err)
			}
			enter(t, "package.sh", append(whole(t, row.guide), step{text: string(script), wants: true, want: row.want}))
		})
	}
}
