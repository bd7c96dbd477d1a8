package responder

import (
	"reflect"
	"testing"
	"time"

	"ocspcgi/lib/index"
)

// TestRecord sees that every field of a record and of a row comes back: one
// that is left out could change without anybody noticing.
func TestRecord(t *testing.T) {
	at := func(n int) time.Time { return time.Date(2026, 1, n, 0, 0, 0, 0, time.UTC) }
	full := record{
		issuer: 3, name: "A CA", entry: index.Entry{Status: index.Revoked, Expires: at(1), Revoked: at(2), Reason: 6, Hold: "1.2.3", Invalid: at(3)},
		produced: at(4), thisUpdate: at(5), nextUpdate: at(6), renewal: at(7), der: []byte("DER"),
	}
	for name, value := range map[string]reflect.Value{"record": reflect.ValueOf(full), "entry": reflect.ValueOf(full.entry)} {
		for i := range value.NumField() {
			if value.Field(i).IsZero() {
				t.Errorf("%s: the field %s is not tried", name, value.Type().Field(i).Name)
			}
		}
	}
	plain := full
	plain.entry = index.Entry{Status: index.Valid, Reason: -1}
	for _, rec := range []record{full, plain} {
		data, err := rec.marshal()
		if err != nil {
			t.Fatal(err)
		}
		var got record
		if !got.unmarshal(data) || !reflect.DeepEqual(got, rec) || got.entry != rec.entry {
			t.Errorf("%+v\nbecame\n%+v", rec, got)
		}
		for i := range len(data) - len(rec.der) + 1 {
			if got.unmarshal(data[:i]) {
				t.Errorf("read although cut at %d", i)
			}
		}
	}
}
