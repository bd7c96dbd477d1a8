package pkitest_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// serve answers every request with one file and returns the URL.
func serve(t *testing.T, response string) string {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/ocsp-response")
		http.ServeFile(w, r, response)
	}))
	t.Cleanup(s.Close)
	return s.URL
}
