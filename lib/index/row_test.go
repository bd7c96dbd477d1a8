package index_test

import (
	"runtime"
	"strings"
	"testing"

	"ocspcgi/lib/index"
)

// good is a row that is always beside the one that is tested.
const good = "V\t271119120000Z\t\tAAAA\tunknown\t/CN=beside\n"

// check looks a serial up in every way.
func check(t *testing.T, text, serial, want string) {
	t.Helper()
	for name, look := range ways(t, write(t, text)) {
		if got := said(look(octets(t, serial))); got != want {
			t.Errorf("%s says %q, want %q", name, got, want)
		}
	}
}

func TestRows(t *testing.T) {
	const to = "V to 2027-11-19T12:00:00Z"
	const revoked = "R to 2027-11-19T12:00:00Z on 2026-11-19T12:00:00Z"
	long := strings.Repeat("x", 64<<10)
	for _, c := range []struct{ name, text, serial, want string }{
		{"RSP-16 valid", "V\t271119120000Z\t\t1000\tunknown\t/CN=a\n", "1000", to},
		{"RSP-17 unassigned", "V\t271119120000Z\t\t1000\tunknown\t/CN=a\n", "1001", "not found"},
		{"RSP-27 expired", "E\t251119120000Z\t\t1000\tunknown\t/CN=a\n", "1000", "E to 2025-11-19T12:00:00Z"},
		{"RSP-27 valid past its date", "V\t251119120000Z\t\t1000\tunknown\t/CN=a\n", "1000", "V to 2025-11-19T12:00:00Z"},
		{"RSP-21 revoked", "R\t271119120000Z\t261119120000Z\t1000\tunknown\t/CN=a\n", "1000", revoked},

		{"serial of lower case", "V\t271119120000Z\t\tabcdef\tunknown\t/CN=a\n", "ABCDEF", to},
		{"serial of mixed case", "V\t271119120000Z\t\taBcDeF\tunknown\t/CN=a\n", "ABCDEF", to},
		{"serial with zeros in front", "V\t271119120000Z\t\t00001000\tunknown\t/CN=a\n", "1000", to},
		{"serial of odd length", "V\t271119120000Z\t\tABC\tunknown\t/CN=a\n", "ABC", to},
		{"serial with the high bit", "V\t271119120000Z\t\t9F\tunknown\t/CN=a\n", "9F", to},
		{"serial of 20 octets", "V\t271119120000Z\t\t" + strings.Repeat("7F", 20) + "\tunknown\t/CN=a\n", strings.Repeat("7F", 20), to},
		{"serial of 255 octets", "V\t271119120000Z\t\t" + strings.Repeat("7F", 255) + "\tunknown\t/CN=a\n", strings.Repeat("7F", 255), to},
		{"REQ-15 long serial that is looked for", "V\t271119120000Z\t\t1000\tunknown\t/CN=a\n", strings.Repeat("7F", 1000), "not found"},
		{"REQ-14 zero", "V\t271119120000Z\t\t00\tunknown\t/CN=a\n", "0", to},
		{"REQ-14 zero is not found", good, "0", "not found"},
		{"REQ-14 zero of qpki", "V\t271119120000Z\t\t\tunknown\t/CN=a\n", "0", to},
		{"REQ-14 zero of many digits", "V\t271119120000Z\t\t0000000000\tunknown\t/CN=a\n", "0", to},
		{"REQ-14 minus zero", "V\t271119120000Z\t\t-00\tunknown\t/CN=a\n", "0", to},
		{"REQ-14 negative", "V\t271119120000Z\t\t-05\tunknown\t/CN=a\n", "-5", to},
		{"REQ-14 negative of good", "V\t271119120000Z\t\t05\tunknown\t/CN=a\n", "-5", "not found"},
		{"REQ-14 good of negative", "V\t271119120000Z\t\t-05\tunknown\t/CN=a\n", "5", "not found"},
		{"REQ-14 FB is not minus five", "V\t271119120000Z\t\tFB\tunknown\t/CN=a\n", "-5", "not found"},
		{"REQ-14 negative of 128", "V\t271119120000Z\t\t-80\tunknown\t/CN=a\n", "-80", to},
		{"REQ-14 negative of two octets", "V\t271119120000Z\t\t-0100\tunknown\t/CN=a\n", "-100", to},

		{"type of lower case", "v\t271119120000Z\t\t1000\tunknown\t/CN=a\n", "1000", to},
		{"revoked of lower case", "r\t271119120000Z\t261119120000Z\t1000\tunknown\t/CN=a\n", "1000", revoked},
		{"type of many letters", "Valid\t271119120000Z\t\t1000\tunknown\t/CN=a\n", "1000", to},
		{"suspended", "S\t271119120000Z\t\t1000\tunknown\t/CN=a\n", "1000", "doubt"},
		{"suspended, another serial", "S\t271119120000Z\t\t1000\tunknown\t/CN=a\n", "1001", "not found"},
		{"no type", "\t271119120000Z\t\t1000\tunknown\t/CN=a\n", "1000", "doubt"},
		{"type of a control byte", "\x16\t271119120000Z\t\t1000\tunknown\t/CN=a\n", "1000", "doubt"},

		{"expiry unreadable", "V\tsoon\t\t1000\tunknown\t/CN=a\n", "1000", "V"},
		{"expiry empty", "V\t\t\t1000\tunknown\t/CN=a\n", "1000", "V"},
		{"revocation of a valid row", "V\t271119120000Z\t261119120000Z\t1000\tunknown\t/CN=a\n", "1000", to},
		{"expiry of a revoked row unreadable", "R\tx\t261119120000Z\t1000\tunknown\t/CN=a\n", "1000", "R on 2026-11-19T12:00:00Z"},

		{"four columns", "V\t271119120000Z\t\t1000\n", "1000", to},
		{"five columns", "V\t271119120000Z\t\t1000\tunknown\n", "1000", to},
		{"seven columns", "V\t271119120000Z\t\t1000\tunknown\t/CN=a\tmore\n", "1000", to},
		{"three columns", "V\t271119120000Z\t\n", "1000", "doubt"},
		{"three columns, another serial that is there", "V\t271119120000Z\t\n" + good, "AAAA", to},
		{"serial unreadable", "V\t271119120000Z\t\t10x0\tunknown\t/CN=a\n", "1000", "doubt"},
		{"serial with a byte that is no digit", "V\t271119120000Z\t\t/:@G`g\xb0\xe1\tunknown\t/CN=a\n", "1001", "doubt"},
		{"serial with a slash", "V\t271119120000Z\t\t1234567/\tunknown\t/CN=a\n", "1001", "doubt"},
		{"serial with a colon", "V\t271119120000Z\t\t:2345678\tunknown\t/CN=a\n", "1001", "doubt"},
		{"serial with an at", "V\t271119120000Z\t\t1234@678\tunknown\t/CN=a\n", "1001", "doubt"},
		{"serial with G", "V\t271119120000Z\t\t1G345678\tunknown\t/CN=a\n", "1001", "doubt"},
		{"serial with g", "V\t271119120000Z\t\t1g345678\tunknown\t/CN=a\n", "1001", "doubt"},
		{"serial with a backquote", "V\t271119120000Z\t\t1`345678\tunknown\t/CN=a\n", "1001", "doubt"},
		{"serial with a high bit", "V\t271119120000Z\t\t1\xb2345678\tunknown\t/CN=a\n", "1001", "doubt"},
		{"serial with another high bit", "V\t271119120000Z\t\t1\xba345678\tunknown\t/CN=a\n", "1001", "doubt"},
		{"serial with a control byte", "V\t271119120000Z\t\t1\x12345678\tunknown\t/CN=a\n", "1001", "doubt"},
		{"serial of every digit", "V\t271119120000Z\t\t123456789ABCDEFabcdef0\tunknown\t/CN=a\n", "123456789ABCDEFABCDEF0", to},
		{"TAB behind a backslash for a type", "\\\t271119120000Z\t\t1000\tunknown\t/CN=a\n", "1001", "doubt"},
		{"serial of spaces", "V\t271119120000Z\t\t 1000\tunknown\t/CN=a\n", "1000", "doubt"},
		{"serial of a sign alone", "V\t271119120000Z\t\t-\tunknown\t/CN=a\n", "0", "doubt"},
		{"serial of 256 octets", "V\t271119120000Z\t\t" + strings.Repeat("7F", 256) + "\tunknown\t/CN=a\n", "1000", "doubt"},
		{"serial unreadable, revoked all the same", "V\t271119120000Z\t\t10x0\tunknown\t/CN=a\nR\t271119120000Z\t261119120000Z\t1000\tunknown\t/CN=a\n", "1000", revoked},
		{"line too long", "V\t271119120000Z\t\t1000\tunknown\t/CN=" + long + "\n", "1000", "doubt"},
		{"line just not too long", "V\t271119120000Z\t\t1000\tunknown\t" + long[:64<<10-34] + "\n", "1000", to},
		{"NUL", "V\t271119120000Z\t\t1000\tunk\x00nown\t/CN=a\n", "1000", "doubt"},
		{"CR inside", "V\t271119120000Z\t\t1000\tunknown\t/CN=a\rR\t271119120000Z\t261119120000Z\t1000\tunknown\t/CN=a\n", "1000", "doubt"},

		{"cut in the subject, then another row", "V\t271119120000Z\t\t1000\tunknown\t/CN=R\t271119120000Z\t261119120000Z\t1001\tunknown\t/CN=b\n", "1000", "doubt"},
		{"cut in the file, then another row", "V\t271119120000Z\t\t1000\tunR\t271119120000Z\t261119120000Z\t1001\tunknown\t/CN=b\n", "1001", "doubt"},
		{"cut in the serial, then another row", "V\t271119120000Z\t\t10R\t271119120000Z\t261119120000Z\t1001\tunknown\t/CN=b\n", "10", "doubt"},
		{"cut in the revocation, then another row", "R\t271119120000Z\t2611R\t271119120000Z\t261119120000Z\t1001\tunknown\t/CN=b\n", "1001", "doubt"},
		{"cut in the expiry, then another row", "V\t2711V\t271119120000Z\t\t1001\tunknown\t/CN=b\n", "0", "doubt"},
		{"revoked, then another row", "R\t271119120000Z\t261119120000Z\t1000\tunknown\t/CN=V\t271119120000Z\t\t1001\tunknown\t/CN=b\n", "1000", revoked},

		{"comment", "# V\n#V\t271119120000Z\t\t1001\tunknown\t/CN=a\n" + good, "1001", "not found"},
		{"comment behind a BOM", "\ufeff#V\t271119120000Z\t\t1001\tunknown\t/CN=a\n" + good, "1001", "not found"},
		{"blank lines", "\n\r\n  \nV\t271119120000Z\t\t1000\tunknown\t/CN=a\n\n", "1000", to},
		{"blank lines, not found", "\n\r\n  \nV\t271119120000Z\t\t1000\tunknown\t/CN=a\n\n", "1001", "not found"},
		{"CRLF", "V\t271119120000Z\t\t1000\tunknown\t/CN=a\r\n", "1000", to},
		{"CRLF, four columns", "V\t271119120000Z\t\t1000\r\n", "1000", to},
		{"BOM", "\ufeffV\t271119120000Z\t\t1000\tunknown\t/CN=a\r\n", "1000", to},
		{"TAB in the subject", "V\t271119120000Z\t\t1000\tunknown\t/CN=a\\\tb\\\tc\\\td\n", "1000", to},
		{"TAB in a column before the serial", "V\t271119120000Z\tx\\\ty\t1000\tunknown\t/CN=a\n", "1000", to},
		{"BOM alone", "\ufeff\n", "1000", "not found"},

		{"twice, revoked first", "R\t271119120000Z\t261119120000Z\t1000\tunknown\t/CN=a\nV\t271119120000Z\t\t1000\tunknown\t/CN=a\n", "1000", revoked},
		{"twice, revoked last", "V\t271119120000Z\t\t1000\tunknown\t/CN=a\nR\t271119120000Z\t261119120000Z\t1000\tunknown\t/CN=a\n", "1000", revoked},
		{"twice, other padding", "V\t271119120000Z\t\t1000\tunknown\t/CN=a\nR\t271119120000Z\t261119120000Z\t001000\tunknown\t/CN=a\n", "1000", revoked},
		{"twice, doubtful", "V\t271119120000Z\t\t1000\tunknown\t/CN=a\nS\t271119120000Z\t\t1000\tunknown\t/CN=a\n", "1000", "doubt"},
		{"twice, doubtful and revoked", "S\t271119120000Z\t\t1000\tunknown\t/CN=a\nR\t271119120000Z\t261119120000Z\t1000\tunknown\t/CN=a\n", "1000", revoked},
		{"twice valid: the first", "V\t271119120000Z\t\t1000\tunknown\t/CN=a\nV\t281119120000Z\t\t1000\tunknown\t/CN=a\n", "1000", to},
		{"twice revoked: the first", "R\t271119120000Z\t261119120000Z\t1000\tunknown\t/CN=a\nR\t271119120000Z\t251119120000Z,keyCompromise\t1000\tunknown\t/CN=a\n", "1000", revoked},
	} {
		t.Run(c.name, func(t *testing.T) { check(t, c.text, c.serial, c.want) })
	}
}

func TestDates(t *testing.T) {
	for _, c := range []struct{ date, want string }{
		{"261119120000Z", "2026-11-19T12:00:00Z"},
		{"491231235959Z", "2049-12-31T23:59:59Z"},
		{"500101000000Z", "1950-01-01T00:00:00Z"},
		{"680101000000Z", "1968-01-01T00:00:00Z"},
		{"690101000000Z", "1969-01-01T00:00:00Z"},
		{"991231235959Z", "1999-12-31T23:59:59Z"},
		{"2611191200Z", "2026-11-19T12:00:00Z"},
		{"261119120000+0100", "2026-11-19T11:00:00Z"},
		{"2611191200-0130", "2026-11-19T13:30:00Z"},
		{"20500101000000Z", "2050-01-01T00:00:00Z"},
		{"20261119120000Z", "2026-11-19T12:00:00Z"},
		{"99991231235959Z", "9999-12-31T23:59:59Z"},
		{"20261119120000.75Z", "2026-11-19T12:00:00Z"},
		{"20261119120000+0100", "2026-11-19T11:00:00Z"},
		{"00000101000000Z", "0000-01-01T00:00:00Z"},
		{"240229120000Z", "2024-02-29T12:00:00Z"},
		{"230229120000Z", ""}, {"261319120000Z", ""}, {"260019120000Z", ""}, {"261100120000Z", ""},
		{"261131120000Z", ""}, {"261119240000Z", ""}, {"261119126000Z", ""}, {"261119120060Z", ""},
		{"261119120000", ""}, {"261119120000z", ""}, {"261119120000Z ", ""}, {" 261119120000Z", ""},
		{"26111912000Z", ""}, {"2611191200000Z", ""}, {"261119120000+01", ""}, {"261119120000+2500", ""},
		{"261119120000+0160", ""}, {"261119120000.5Z", ""}, {"20261119120000.Z", ""}, {"", ""}, {"Z", ""}, {"-61119120000Z", ""},
		{"00010101000000Z", ""},                                  // the year that stands for no time
		{"00000101000000+0001", ""}, {"99991231235959-0001", ""}, // years that no response can hold
	} {
		t.Run(c.date, func(t *testing.T) {
			want := "V"
			if c.want != "" {
				want = "V to " + c.want
			}
			check(t, "V\t"+c.date+"\t\t1000\tunknown\t/CN=a\n", "1000", want)
			on := c.want
			if on == "" {
				on = "1970-01-01T00:00:00Z"
			}
			check(t, "R\tx\t"+c.date+"\t1000\tunknown\t/CN=a\n", "1000", "R on "+on)
		})
	}
}

func TestRevocations(t *testing.T) {
	const on = "R to 2027-11-19T12:00:00Z on 2026-11-19T12:00:00Z"
	for _, c := range []struct{ name, column, want string }{
		{"RSP-23 none", "261119120000Z", on},
		{"RSP-23 unspecified", "261119120000Z,unspecified", on},
		{"RSP-22 keyCompromise", "261119120000Z,keyCompromise", on + " for 1"},
		{"RSP-22 CACompromise", "261119120000Z,CACompromise", on + " for 2"},
		{"RSP-22 affiliationChanged", "261119120000Z,affiliationChanged", on + " for 3"},
		{"RSP-22 superseded", "261119120000Z,superseded", on + " for 4"},
		{"RSP-22 cessationOfOperation", "261119120000Z,cessationOfOperation", on + " for 5"},
		{"RSP-26 certificateHold", "261119120000Z,certificateHold", on + " for 6"},
		{"RSP-22 privilegeWithdrawn", "261119120000Z,privilegeWithdrawn", on + " for 9"},
		{"RSP-22 AACompromise", "261119120000Z,AACompromise", on + " for 10"},
		{"RSP-22 any case", "261119120000Z,KEYcompromise", on + " for 1"},
		{"RSP-22 aACompromise", "261119120000Z,aACompromise", on + " for 10"},
		{"RSP-24 removeFromCRL", "261119120000Z,removeFromCRL", on},
		{"RSP-22 hold instruction", "261119120000Z,holdInstruction,1.2.840.10040.2.3", on + " for 6 hold 1.2.840.10040.2.3"},
		{"RSP-22 hold instruction by name", "261119120000Z,holdInstruction,holdInstructionCallIssuer", on + " for 6 hold 1.2.840.10040.2.2"},
		{"RSP-22 hold instruction by long name", "261119120000Z,holdinstruction,Hold Instruction None", on + " for 6 hold 1.2.840.10040.2.1"},
		{"hold instruction without OID", "261119120000Z,holdInstruction", on},
		{"hold instruction of a bad OID", "261119120000Z,holdInstruction,1.2.x", on},
		{"hold instruction of one arc", "261119120000Z,holdInstruction,1", on},
		{"hold instruction of a bad second arc", "261119120000Z,holdInstruction,1.40.1", on},
		{"hold instruction of a bad first arc", "261119120000Z,holdInstruction,3.1.1", on},
		{"RSP-22 keyTime", "261119120000Z,keyTime,20261001000000Z", on + " for 1 since 2026-10-01T00:00:00Z"},
		{"RSP-22 CAkeyTime", "261119120000Z,CAkeyTime,20261001000000Z", on + " for 2 since 2026-10-01T00:00:00Z"},
		{"keyTime in any case", "261119120000Z,KEYTIME,20261001000000Z", on + " for 1 since 2026-10-01T00:00:00Z"},
		{"keyTime without time", "261119120000Z,keyTime", on},
		{"keyTime of a bad time", "261119120000Z,keyTime,yesterday", on},
		{"extra of a reason that has none", "261119120000Z,superseded,x", on + " for 4"},
		{"reason not known", "261119120000Z,aliens", on},
		{"reason with a space", "261119120000Z, keyCompromise", on},
		{"reason empty", "261119120000Z,", on},
		{"reason by number", "261119120000Z,1", on},
		{"GeneralizedTime", "20261119120000Z,superseded", on + " for 4"},
		{"date empty", "", "R to 2027-11-19T12:00:00Z on 1970-01-01T00:00:00Z"},
		{"date empty with a reason", ",keyCompromise", "R to 2027-11-19T12:00:00Z on 1970-01-01T00:00:00Z for 1"},
		{"date unreadable", "yesterday,keyCompromise", "R to 2027-11-19T12:00:00Z on 1970-01-01T00:00:00Z for 1"},
		{"RSP-25 date in the future", "361119120000Z", "R to 2027-11-19T12:00:00Z on 2036-11-19T12:00:00Z"},
	} {
		t.Run(c.name, func(t *testing.T) {
			check(t, "R\t271119120000Z\t"+c.column+"\t1000\tunknown\t/CN=a\n", "1000", c.want)
		})
	}
}

// A row without end is in doubt, those beside it count, and it takes no memory but that
// of a part of it.
func TestEndlessRow(t *testing.T) {
	const size, most = 10 << 20, 5 << 20
	path := write(t, good+"V\t271119120000Z\t\tBBBB\tunknown\t/CN="+strings.Repeat("x", size)+"\n"+entry('R', "CCCC")+entry('V', "DDDD"))
	wants := map[string]string{"AAAA": isValid, "BBBB": "doubt", "CCCC": isOff, "DDDD": isValid, "EEEE": "doubt"}
	file, later := &index.File{Path: path, Now: clock}, &index.Live{Path: path, Now: clock}
	for name, read := range map[string]func(){
		"a scan":  func() { wantSaid(t, "a scan", file.Lookup, wants) },
		"a table": func() { later.Reload(false); wantSaid(t, "a table", later.Lookup, wants) },
		"each row": func() {
			rows := 0
			if err := index.Rows(path, func(*index.Row) bool { rows++; return true }); err != nil || rows != 4 {
				t.Errorf("%d rows, %v", rows, err)
			}
		},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		read()
		runtime.ReadMemStats(&after)
		if took := after.TotalAlloc - before.TotalAlloc; took > most {
			t.Errorf("%s: %d KiB are taken", name, took>>10)
		}
	}
}

// wantSaid looks several serials up.
func wantSaid(t *testing.T, name string, look lookup, wants map[string]string) {
	t.Helper()
	for serial, want := range wants {
		if got := said(look(octets(t, serial))); got != want {
			t.Errorf("%s says %q of %s, want %q", name, got, serial, want)
		}
	}
}
