package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"rightsdesk/shared/seal"
)

// openRing reads the key ring of this laptop, or makes one.
func openRing(path string) (*seal.Ring, error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		ring := seal.NewRing()
		return ring, keepSecret(path, ring.Marshal())
	}
	if err != nil {
		return nil, fmt.Errorf("read the key ring: %w", err)
	}
	return seal.ParseRing(b)
}

// secretFile is where a laptop keeps a secret that a policy refers to as secret:NAME.
func secretFile(dir, reference string) string {
	return filepath.Join(dir, "secrets", strings.TrimPrefix(reference, "secret:"))
}

// openSecret reads a secret, or makes one.
func openSecret(path string) (string, error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		secret := rand.Text() + rand.Text() // 256 bits
		return secret, keepSecret(path, []byte(secret))
	}
	if err != nil {
		return "", fmt.Errorf("read a secret: %w", err)
	}
	return strings.TrimSpace(string(b)), nil
}

func keepSecret(path string, b []byte) error {
	if err := keep(path, b); err != nil {
		return fmt.Errorf("keep a secret: %w", err)
	}
	return nil
}

// keep writes a file whole or not at all: a process that is killed in between
// leaves what was there before.
func keep(path string, b []byte) error {
	next := path + ".next"
	if err := os.WriteFile(next, b, 0o600); err != nil {
		return err
	}
	return os.Rename(next, path)
}
