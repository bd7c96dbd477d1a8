//go:build linux

package signer_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"ocspcgi/lib/signer"
)

// TestMain lets the test binary be a program that is told no pass phrase.
func TestMain(m *testing.M) {
	file := os.Getenv("SIGNER_TEST_ASK")
	if file == "" {
		os.Exit(m.Run())
	}
	pass, err := signer.ParsePassIn("", os.LookupEnv)
	for i := 0; i < 2 && err == nil; i++ {
		_, err = signer.Load(file, "", pass, signer.Options{})
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("loaded twice")
	os.Exit(0)
}

// sealed writes a file with a certificate and its encrypted key.
func sealed(p pki) string {
	p.key("ca", "p256")
	p.selfSigned("ca", "ca")
	p.openssl("pkey -in ca.key -aes256 -passout pass:sesame -out sealed.key")
	return p.write("sealed.pem", p.read("ca.crt")+p.read("sealed.key"))
}

func TestNoTerminal(t *testing.T) {
	p := newPKI(t)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "SIGNER_TEST_ASK="+sealed(p))
	out, err := cmd.Output()
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		t.Fatal(err)
	}
	p.wantError(t, errors.New(string(out)), "DIR/sealed.pem: the key is encrypted; give its pass phrase with -passin file:PATH\n")
}

// terminal is a new pseudo terminal: what the person sees and types at, and
// what the program has.
func terminal(t *testing.T) (person, program *os.File) {
	t.Helper()
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { person.Close() })
	if err := unix.IoctlSetPointerInt(int(person.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(person.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	program, err = os.OpenFile("/dev/pts/"+strconv.Itoa(n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { program.Close() })
	return person, program
}

func TestTerminal(t *testing.T) {
	p := newPKI(t)
	file := sealed(p)
	for typed, want := range map[string]string{
		"sesame": "loaded twice\n",
		"simsim": "DIR/sealed.pem: the pass phrase does not open this key; check -passin\n",
	} {
		person, program := terminal(t)
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "SIGNER_TEST_ASK="+file)
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 0}
		cmd.Stdin = program
		var out strings.Builder
		cmd.Stdout = &out
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		prompt := "Enter pass phrase for " + file + ": "
		seen := make([]byte, len(prompt))
		if _, err := io.ReadFull(person, seen); err != nil || string(seen) != prompt {
			t.Errorf("%q, %v", seen, err)
		}
		if _, err := person.WriteString(typed + "\nanother\n"); err != nil {
			t.Fatal(err)
		}
		var exit *exec.ExitError
		if err := cmd.Wait(); err != nil && !errors.As(err, &exit) {
			t.Fatal(err)
		}
		if got := strings.ReplaceAll(out.String(), p.dir, "DIR"); got != want {
			t.Errorf("typed %s: %s", typed, got)
		}
	}
}
