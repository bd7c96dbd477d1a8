package conformance_test

import (
	"errors"
	"os/exec"
	"testing"
	"time"

	"ocspcgi/lib/wire"
)

// alone starts a program in a namespace of users of its own, which has a limit of
// the kernel's set to 0.
func alone(limit string) []string {
	return []string{"unshare", "--user", "--map-root-user", "sh", "-c", "echo 0 >/proc/sys/user/" + limit + ` && exec "$@"`, "sh"}
}

// Where the kernel tells of no changes, as on NFS and where its limits are
// reached, files are looked at: who asks a second after a revocation was written is
// told so all the same.
func TestNoEvents(t *testing.T) {
	for _, limit := range []string{"max_inotify_instances", "max_inotify_watches"} {
		t.Run(limit, func(t *testing.T) {
			line := append(alone(limit), "true")
			out, err := exec.Command(line[0], line[1:]...).CombinedOutput()
			if errors.Is(err, exec.ErrNotFound) {
				t.Fatal(err)
			}
			if err != nil {
				t.Skipf("this machine gives no namespace of users: %v %s", err, out)
			}
			k := newKit(t)
			der, _, good := k.question()
			k.served = startIn(t, everybodysRoom(t), k.settings(k.Signer), alone(limit)...)
			k.logs(t, "changes of files are seen by polling")
			if err := good.check(k.fastCGI(t, der), false); err != nil {
				t.Fatal(err)
			}
			k.revokeInPlace(t)
			written := time.Now()
			good.said = []wire.CertStatus{wire.Revoked}
			wait(t, "revoked", func() error {
				asked := time.Now()
				r := k.fastCGI(t, der)
				status := statusOf(t, r.body)
				if status == "revoked" {
					return good.check(r, false)
				}
				if since := asked.Sub(written); since > time.Second {
					t.Fatalf("%s to who asks %v after the revocation was written", status, since)
				}
				return errors.New(status)
			})
		})
	}
}
