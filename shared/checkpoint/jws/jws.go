// Package jws signs checkpoints, and checks them, as everything is signed that the
// installation publishes: as a JWS with ES256, by the key whose public half stands in
// /.well-known/jwks.json.
//
// boot, infra/local and tests import it.
package jws

import (
	"errors"

	"rightsdesk/shared/checkpoint"
	"rightsdesk/shared/receipt"
	"rightsdesk/shared/seal"
)

// Kind says in the header what was signed, so that nothing else that the same key
// signs passes for a checkpoint (RFC 8725, 3.11).
const Kind = "audit-checkpoint+jws"

// Signer signs with the newest key of a ring.
type Signer struct {
	// Ring returns the key ring; nil before it was opened.
	Ring func() *seal.Ring
}

var _ checkpoint.Signer = Signer{}

var errNoRing = errors.New("jws: the key ring is not open")

// Sign implements checkpoint.Signer.
func (s Signer) Sign(document []byte) (string, error) {
	ring := s.Ring()
	if ring == nil {
		return "", errNoRing
	}
	return receipt.SignAs(ring, Kind, document)
}

// Check implements checkpoint.Checker with all keys of the ring.
func (s Signer) Check(signed string) ([]byte, error) {
	ring := s.Ring()
	if ring == nil {
		return nil, errNoRing
	}
	keys, err := (&receipt.Maker{Ring: ring}).JWKS()
	if err != nil {
		return nil, err
	}
	return Keys(keys).Check(signed)
}

// Keys is a set of public keys, as /.well-known/jwks.json gives it.
type Keys []byte

var _ checkpoint.Checker = Keys(nil)

// Check implements checkpoint.Checker, and needs neither us nor the network.
func (k Keys) Check(signed string) ([]byte, error) { return receipt.VerifyAs(Kind, signed, k) }
