// Package kms keeps the key ring of an installation on AWS: in the Keys table, as
// the item "ring", wrapped by the installation's one KMS key. It is opened once,
// when a function starts; no request calls KMS.
//
// boot imports it, and nobody else.
package kms

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"rightsdesk/shared/seal"
	"rightsdesk/shared/table"
)

// ErrNone says that there is no ring yet: nobody has called this installation
// since it was made. A function that may not make one has nothing to do either.
var ErrNone = errors.New("seal: there is no key ring yet; the first request makes it")

// ring is where the ring is kept; seal's package comment has the key table.
var ring = table.Ref{Table: table.Keys, Key: table.Key{Partition: "ring", Sort: "-"}}

// ringSchema is the version of the wrapping: the ring as it marshals, encrypted
// by the key itself, which takes 4 KB. A ring of fifty data keys has that room.
const ringSchema = 1

// purpose binds the wrapped ring to its use. The functions' roles may use the key
// with this context alone, so infra/stack spells it the same.
var purpose = map[string]string{"rightsdesk": "key ring"}

// Keeper opens the ring. It is used when a function starts, by one goroutine.
type Keeper struct {
	client *kms.Client
	key    string
	table  table.Table
}

// New returns the keeper of the ring in t, wrapped by the key with that ARN.
func New(cfg aws.Config, key string, t table.Table) *Keeper {
	return &Keeper{kms.NewFromConfig(cfg), key, t}
}

// Open returns the ring, or ErrNone. That the ring exists but cannot be opened
// is another error, and never a reason to make a new one.
func (k *Keeper) Open(ctx context.Context) (*seal.Ring, error) {
	item, err := k.table.Get(ctx, ring)
	if errors.Is(err, table.ErrAbsent) {
		return nil, ErrNone
	}
	if err != nil {
		return nil, fmt.Errorf("read the key ring: %w", err)
	}
	if item.Schema != ringSchema {
		return nil, fmt.Errorf("seal: the key ring has schema %d, this version reads %d", item.Schema, ringSchema)
	}
	out, err := k.client.Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: item.Body, EncryptionContext: purpose, KeyId: &k.key})
	if err != nil {
		return nil, fmt.Errorf("unwrap the key ring: %w", err)
	}
	return seal.ParseRing(out.Plaintext)
}

// OpenOrMake returns the ring, and makes it if there is none. Of many that start at
// once, one makes it and all return the same. Patience is the table's: an outcome
// that is not known after that is an error, and the next start opens what is kept.
func (k *Keeper) OpenOrMake(ctx context.Context) (*seal.Ring, error) {
	r, err := k.Open(ctx)
	if !errors.Is(err, ErrNone) {
		return r, err
	}
	r, err = k.add(ctx)
	if errors.Is(err, table.ErrConflict) {
		return k.Open(ctx) // somebody else was faster
	}
	return r, err
}

func (k *Keeper) add(ctx context.Context) (*seal.Ring, error) {
	r := seal.NewRing()
	out, err := k.client.Encrypt(ctx, &kms.EncryptInput{KeyId: &k.key, Plaintext: r.Marshal(), EncryptionContext: purpose})
	if err != nil {
		return nil, fmt.Errorf("wrap the key ring: %w", err)
	}
	item := table.Item{Key: ring.Key, Schema: ringSchema, Body: out.CiphertextBlob}
	if err := k.table.Commit(ctx, table.NewID(), table.Put(table.Keys, item, table.New)); err != nil {
		return nil, fmt.Errorf("keep the key ring: %w", err)
	}
	return r, nil
}
