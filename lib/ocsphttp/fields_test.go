package ocsphttp_test

import (
	"bytes"
	"context"
	"testing"
	"time"

	"ocspcgi/lib/ocsphttp"
	"ocspcgi/lib/responder"
)

// An answer with its Fields made before is answered to the byte like one without.
func TestFieldsMadeBefore(t *testing.T) {
	head := getRequest()
	head.Method = []byte("HEAD")
	for name, req := range map[string]ocsphttp.Request{
		"POST": post("application/ocsp-request", request), "GET": getRequest(), "HEAD": head,
		"304": getRequest("If-None-Match", "*"), "other": getRequest("If-None-Match", `"x"`),
	} {
		for _, after := range []time.Duration{0, time.Second, 29*time.Minute + 59*time.Second, 30 * time.Minute, time.Hour} {
			var both [2][]byte
			for i := range both {
				h := &ocsphttp.Handler{
					Now: func() time.Time { return now.Add(after) },
					Respond: func(ctx context.Context, der []byte) *responder.Answer {
						answer := signed(ctx, der)
						if i == 1 {
							answer.Fields = ocsphttp.Fields(answer)
						}
						return answer
					},
				}
				resp, _ := serve(t, h, req)
				both[i] = resp.AppendCGI(nil)
			}
			if !bytes.Equal(both[0], both[1]) {
				t.Errorf("%s after %v:\n%s\nwith Fields:\n%s", name, after, both[0], both[1])
			}
		}
	}
}
