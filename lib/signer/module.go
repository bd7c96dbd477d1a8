//go:build pkcs11 && cgo

package signer

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/miekg/pkcs11"
)

const (
	// maxSessions is how many signatures a module is asked for at once.
	maxSessions = 8
	// restBetween is the least time between two beginnings of a module: while a
	// token is away, not every request is to disturb those that are there.
	restBetween = time.Second
)

// errPIN is in an error after which a token must not be asked again with the
// same PIN: it would lock itself.
var errPIN = errors.New("no login")

// modules are the libraries that this process has loaded, by their paths. A
// module is one for a whole process, whoever uses it (PKCS#11 3.0 §5.4): it is
// the one thing here that cannot belong to anybody.
var modules struct {
	sync.Mutex
	loaded map[string]*module
}

// module is a PKCS#11 library with the sessions that are open in it.
type module struct {
	ctx   *pkcs11.Ctx
	turns chan struct{} // of who has it sign

	// use is held for reading while the library works, and for writing while it
	// is begun anew, which ends all sessions.
	use        sync.RWMutex
	generation int
	resting    atomic.Bool

	mu      sync.Mutex
	idle    map[string][]session // by what a key is called, and its kind
	refused map[string]string    // PINs that were wrong, by token
}

// session is one in which a user is logged in, and a key found.
type session struct {
	handle pkcs11.SessionHandle
	key    pkcs11.ObjectHandle
	called string
}

func loadModule(path string) (*module, error) {
	modules.Lock()
	defer modules.Unlock()
	if m := modules.loaded[path]; m != nil {
		return m, nil
	}
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("module-path: %w", err)
	}
	ctx := pkcs11.New(path)
	if ctx == nil {
		return nil, fmt.Errorf("module-path: %s cannot be loaded as a PKCS#11 library; see what ldd and pkcs11-tool --module say of it", path)
	}
	if err := begin(ctx); err != nil {
		ctx.Destroy()
		return nil, fmt.Errorf("module-path: %s: %w", path, err)
	}
	m := &module{ctx: ctx, turns: make(chan struct{}, maxSessions), idle: map[string][]session{}, refused: map[string]string{}}
	if modules.loaded == nil {
		modules.loaded = map[string]*module{}
	}
	modules.loaded[path] = m
	return m, nil
}

// begin initializes the library, which locks as the system does it.
func begin(ctx *pkcs11.Ctx) error {
	err := ctx.Initialize()
	if errors.Is(err, pkcs11.Error(pkcs11.CKR_CRYPTOKI_ALREADY_INITIALIZED)) {
		return nil
	}
	return err
}

// renew begins the library anew, unless somebody else has since the given
// generation, and reports whether it is worth asking again.
func (m *module) renew(generation int) bool {
	m.use.Lock()
	defer m.use.Unlock()
	if m.generation != generation {
		return true
	}
	if !m.resting.CompareAndSwap(false, true) {
		return false
	}
	time.AfterFunc(restBetween, func() { m.resting.Store(false) })
	m.idle = map[string][]session{}
	if err := m.ctx.Finalize(); err != nil && !errors.Is(err, pkcs11.Error(pkcs11.CKR_CRYPTOKI_NOT_INITIALIZED)) {
		return false
	}
	m.generation++
	return begin(m.ctx) == nil
}

// sign has the key sign in a session, and says in which generation that was.
func (m *module) sign(k *tokenKey, o operation) (signature []byte, generation int, err error) {
	m.use.RLock()
	defer m.use.RUnlock()
	s, err := m.session(k, &o)
	if err != nil {
		return nil, m.generation, err
	}
	if err = m.ctx.SignInit(s.handle, []*pkcs11.Mechanism{o.mechanism}, s.key); err == nil {
		signature, err = m.ctx.Sign(s.handle, o.data)
	}
	if err != nil {
		return nil, m.generation, errors.Join(err, m.ctx.CloseSession(s.handle))
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.idle[s.called] = append(m.idle[s.called], s)
	return signature, m.generation, nil
}

// session takes an idle session, or opens one.
func (m *module) session(k *tokenKey, o *operation) (session, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	kind, keyType := o.kind()
	called := k.uri.name + " " + kind
	if idle := m.idle[called]; len(idle) > 0 {
		s := idle[len(idle)-1]
		m.idle[called] = idle[:len(idle)-1]
		return s, nil
	}
	slot, info, err := m.find(k.uri)
	if err != nil {
		return session{}, err
	}
	handle, err := m.ctx.OpenSession(slot, pkcs11.CKF_SERIAL_SESSION)
	if err != nil {
		return session{}, err
	}
	s := session{handle: handle, called: called}
	if err = m.login(k, handle, info); err == nil {
		s.key, err = m.object(k.uri, kind, keyType, handle)
	}
	if err != nil {
		return session{}, errors.Join(err, m.ctx.CloseSession(handle))
	}
	return s, nil
}

// find returns the slot of the one token that the URI means.
func (m *module) find(uri *tokenURI) (slot uint, info pkcs11.TokenInfo, err error) {
	slots, err := m.ctx.GetSlotList(true)
	if err != nil {
		return 0, info, err
	}
	var there []string
	found := 0
	for _, id := range slots {
		token, err := m.ctx.GetTokenInfo(id)
		if err != nil || token.Flags&pkcs11.CKF_TOKEN_INITIALIZED == 0 {
			continue // somebody else's, that is about to come or go
		}
		there = append(there, token.Label)
		if uri.means(id, &token) {
			slot, info = id, token
			found++
		}
	}
	switch {
	case found > 1:
		return 0, info, errors.New("several tokens fit; add serial=NUMBER, as pkcs11-tool --list-slots shows it")
	case found == 0:
		return 0, info, fmt.Errorf("%w: no such token (there are: %s)", ErrAway, strings.Join(there, ", "))
	}
	return slot, info, nil
}

func (u *tokenURI) means(slot uint, token *pkcs11.TokenInfo) bool {
	fits := func(said, is string) bool { return said == "" || said == strings.TrimRight(is, " \x00") }
	return fits(u.token, token.Label) && fits(u.serial, token.SerialNumber) && fits(u.model, token.Model) &&
		fits(u.manufacturer, token.ManufacturerID) && (u.slot == nil || *u.slot == slot)
}

// login logs in, unless an earlier session has: that is for a token as a whole.
func (m *module) login(k *tokenKey, handle pkcs11.SessionHandle, token pkcs11.TokenInfo) error {
	info, err := m.ctx.GetSessionInfo(handle)
	if err != nil || info.State == pkcs11.CKS_RO_USER_FUNCTIONS || info.State == pkcs11.CKS_RW_USER_FUNCTIONS {
		return err
	}
	if token.Flags&pkcs11.CKF_LOGIN_REQUIRED == 0 {
		return nil
	}
	if err := obstacle(token.Flags); err != nil {
		return err
	}
	pin, err := k.pin()
	if err != nil {
		return fmt.Errorf("%w: %w", errPIN, err)
	}
	if wrong, tried := m.refused[token.SerialNumber]; tried && wrong == pin {
		return fmt.Errorf("%w: the PIN was wrong, and is not tried again before it is another one", errPIN)
	}
	switch err := m.ctx.Login(handle, pkcs11.CKU_USER, pin); {
	case err == nil, errors.Is(err, pkcs11.Error(pkcs11.CKR_USER_ALREADY_LOGGED_IN)):
		delete(m.refused, token.SerialNumber)
		return nil
	case errors.Is(err, pkcs11.Error(pkcs11.CKR_PIN_INCORRECT)), errors.Is(err, pkcs11.Error(pkcs11.CKR_PIN_LEN_RANGE)), errors.Is(err, pkcs11.Error(pkcs11.CKR_PIN_INVALID)):
		m.refused[token.SerialNumber] = pin
		return fmt.Errorf("%w: the PIN is wrong; it is not tried again before it is another one, for a token locks itself", errPIN)
	case errors.Is(err, pkcs11.Error(pkcs11.CKR_PIN_LOCKED)), errors.Is(err, pkcs11.Error(pkcs11.CKR_PIN_EXPIRED)), errors.Is(err, pkcs11.Error(pkcs11.CKR_USER_PIN_NOT_INITIALIZED)):
		return fmt.Errorf("%w: %w", errPIN, err)
	default:
		return err
	}
}

// obstacle says why a login must not be tried.
func obstacle(flags uint) error {
	switch {
	case flags&pkcs11.CKF_USER_PIN_LOCKED != 0:
		return fmt.Errorf("%w: the token's PIN is locked; unlock it with the security officer's", errPIN)
	case flags&pkcs11.CKF_USER_PIN_FINAL_TRY != 0:
		return fmt.Errorf("%w: the token has one try left for the PIN; log in once by hand, such as with pkcs11-tool --login --list-objects", errPIN)
	}
	return nil
}

// object returns the one private key that the URI means.
func (m *module) object(uri *tokenURI, kind string, keyType uint, handle pkcs11.SessionHandle) (pkcs11.ObjectHandle, error) {
	template := []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_CLASS, pkcs11.CKO_PRIVATE_KEY), pkcs11.NewAttribute(pkcs11.CKA_KEY_TYPE, keyType)}
	if uri.object != "" {
		template = append(template, pkcs11.NewAttribute(pkcs11.CKA_LABEL, uri.object))
	}
	if uri.id != nil {
		template = append(template, pkcs11.NewAttribute(pkcs11.CKA_ID, uri.id))
	}
	if err := m.ctx.FindObjectsInit(handle, template); err != nil {
		return 0, err
	}
	found, _, err := m.ctx.FindObjects(handle, 2)
	if err := errors.Join(err, m.ctx.FindObjectsFinal(handle)); err != nil {
		return 0, err
	}
	switch len(found) {
	case 0:
		return 0, fmt.Errorf("the token has no such private key for %s; pkcs11-tool --login --list-objects shows those that it has", kind)
	case 1:
		return found[0], nil
	}
	return 0, errors.New("several private keys of the token fit; add id=, as pkcs11-tool --list-objects shows it")
}
