package servertest

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// Main builds the program, the only file in its directory, says where it is,
// and runs the tests. It returns the status to exit with. Tests that have the race
// detector run a program that has it too, and fail if that finds a race.
func Main(m *testing.M, program *string) int {
	syscall.Umask(0o022) // the CA of the tests is read by another account
	dir, err := os.MkdirTemp("", "ocspcgi-bin-")
	if err == nil {
		defer os.RemoveAll(dir)
		err = os.Chmod(dir, 0o755)
	}
	if err == nil {
		*program = filepath.Join(dir, "ocspcgi")
		err = build(*program, "ocspcgi")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "build:", err)
		return 1
	}
	if !Raced {
		return m.Run()
	}
	races, err := newRaces()
	if err != nil {
		fmt.Fprintln(os.Stderr, "race detector:", err)
		return 1
	}
	defer os.RemoveAll(string(races))
	return cmp.Or(m.Run(), races.status())
}

// Small builds the program that is for CGI alone, in the same way.
func Small(t testing.TB) string {
	t.Helper()
	path := filepath.Join(Room(t), "ocsp.cgi")
	if err := build(path, "ocspcgi/cgi/cgibin"); err != nil {
		t.Fatalf("build: %v", err)
	}
	return path
}

func build(path, what string) error {
	args, cgo := []string{"build", "-ldflags", "-X main.version=" + Version, "-o", path}, "CGO_ENABLED=0"
	if Raced {
		args, cgo = append(args, "-race"), "CGO_ENABLED=1"
	}
	cmd := exec.Command("go", append(args, what)...)
	cmd.Env = append(os.Environ(), cgo)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	return cmd.Run()
}

// races is a directory, a file for each process in which a race was found. A CGI
// process gets no environment of ours: it tells the web server's error.log.
type races string

func newRaces() (races, error) {
	dir, err := os.MkdirTemp("", "ocspcgi-races-")
	if err != nil {
		return "", err
	}
	if err := os.Chmod(dir, 0o777|os.ModeSticky); err != nil { // for all accounts
		return "", err
	}
	return races(dir), os.Setenv("GORACE", "log_path="+filepath.Join(dir, "race")+" halt_on_error=1")
}

// RaceOptions is the variable of the environment by which a program's race detector
// knows where to leave what it finds.
func RaceOptions() string { return "GORACE=" + os.Getenv("GORACE") }

// status shows each race, and returns 1 if there is one.
func (r races) status() (status int) {
	reports, err := filepath.Glob(filepath.Join(string(r), "race.*"))
	if err != nil {
		status = 1
	}
	for _, report := range reports {
		text, err := os.ReadFile(report)
		if err != nil {
			text = []byte(err.Error())
		}
		fmt.Fprintf(os.Stderr, "%s\n", text)
		status = 1
	}
	return status
}
