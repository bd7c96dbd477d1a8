package metrics

import "ocspcgi/lib/index"

// writeSigning writes what is known of answers that were made.
func (m *Metrics) writeSigning(t *text) {
	r := m.Keeper.Responder
	made, failed := r.Signatures()
	t.family("ocspcgi_signatures_total", "counter", "Signatures of answers, by result: made or failed.")
	t.sample("", float64(made), "result", "made")
	t.sample("", float64(failed), "result", "failed")
	t.family("ocspcgi_cache_bytes", "gauge", "Size of the answers kept in memory.")
	t.sample("", float64(r.Kept()))
}

// writeIndexes writes the state of each index.
func (m *Metrics) writeIndexes(t *text) {
	states := m.Keeper.States()
	for _, f := range []struct {
		name, help string
		value      func(index.Report) float64
	}{
		{"ocspcgi_index_believed", "1 where the index as it is now is what is answered from, else 0.", func(r index.Report) float64 {
			if r.Believed {
				return 1
			}
			return 0
		}},
		{"ocspcgi_index_rows", "Rows of the index that was read last.", func(r index.Report) float64 { return float64(r.Rows) }},
		{"ocspcgi_index_faults", "Rows of the index that was read last that are doubtful or forgotten; the log tells them.", func(r index.Report) float64 { return float64(r.Count) }},
		{"ocspcgi_index_generation", "How many states of the index were believed since the start.", func(r index.Report) float64 { return float64(r.Generation) }},
		{"ocspcgi_index_modified_timestamp_seconds", "When the index that was read last was written, in seconds since 1970.", func(r index.Report) float64 { return seconds(r.Modified) }},
	} {
		t.family(f.name, "gauge", f.help)
		for _, s := range states {
			t.sample("", f.value(s.Index), "index", s.Index.Path)
		}
	}
}

// writeSigners writes how long each signer lasts.
func (m *Metrics) writeSigners(t *text) {
	states := m.Keeper.States()
	t.family("ocspcgi_signer_not_after_timestamp_seconds", "gauge", "When the certificate of a signer ends, in seconds since 1970.")
	for _, s := range states {
		for _, signer := range s.Issuer.Signers() {
			t.sample("", seconds(signer.Certificate.NotAfter), "issuer", s.Issuer.Name, "signer", signer.Path)
		}
	}
	t.family("ocspcgi_issuer_able", "gauge", "1 where a signer of each issuer of that name is valid now, else 0.")
	able := map[string]float64{}
	for _, s := range states {
		if _, twin := able[s.Issuer.Name]; !twin {
			able[s.Issuer.Name] = 1
		}
		if s.Issuer.Able(m.now()) != nil {
			able[s.Issuer.Name] = 0
		}
	}
	for _, s := range states {
		t.sample("", able[s.Issuer.Name], "issuer", s.Issuer.Name)
	}
}
