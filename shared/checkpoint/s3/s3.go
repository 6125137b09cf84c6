// Package s3 keeps checkpoints and what they seal in a bucket with Object Lock, which
// infra/stack makes: what was written there cannot be changed or removed before its
// time. This package asks for the other half with every call: If-None-Match, so that
// nothing is written under a key that has an object.
//
// The SDK repeats what was throttled or lost, three times in all. A write that was done
// and whose answer was lost is then answered with checkpoint.ErrThere; whoever writes
// knows what is there by its name, or reads it.
//
// boot and tests import it.
package s3

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"

	"rightsdesk/shared/checkpoint"
	"rightsdesk/shared/table"
)

// Vault implements checkpoint.Vault and is safe for concurrent use.
type Vault struct {
	client *s3.Client
	bucket *string
}

var _ checkpoint.Vault = (*Vault)(nil)

// New returns the vault in a bucket of the account and endpoint that cfg leads to.
func New(cfg aws.Config, bucket string) *Vault {
	return &Vault{
		client: s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = cfg.BaseEndpoint != nil }),
		bucket: &bucket,
	}
}

// tries is how often a write is tried that met another write of the same key, which
// decides which of them there was first.
const tries = 4

// Put implements checkpoint.Vault.
func (v *Vault) Put(ctx context.Context, key string, body []byte) error {
	hash := sha256.Sum256(body)
	for try := range tries {
		_, err := v.client.PutObject(ctx, &s3.PutObjectInput{
			Bucket: v.bucket, Key: &key, Body: bytes.NewReader(body), ContentLength: aws.Int64(int64(len(body))), IfNoneMatch: aws.String("*"),
			// A bucket with Object Lock takes nothing without a checksum.
			ChecksumSHA256: aws.String(base64.StdEncoding.EncodeToString(hash[:])), ContentType: aws.String("text/plain"),
		})
		refusal, ok := errors.AsType[smithy.APIError](err)
		switch {
		case err == nil:
			return nil
		case ok && refusal.ErrorCode() == "PreconditionFailed":
			return checkpoint.ErrThere
		case ok && refusal.ErrorCode() == "ConditionalRequestConflict" && try+1 < tries:
			if err := table.Sleep(ctx, table.Pause(try)); err != nil {
				return err
			}
		default:
			return fmt.Errorf("put %s: %w", key, err)
		}
	}
	return fmt.Errorf("put %s: others write it too", key)
}

// Get implements checkpoint.Vault.
func (v *Vault) Get(ctx context.Context, key string) ([]byte, error) {
	out, err := v.client.GetObject(ctx, &s3.GetObjectInput{Bucket: v.bucket, Key: &key})
	if _, ok := errors.AsType[*types.NoSuchKey](err); ok {
		return nil, fmt.Errorf("get %s: %w", key, checkpoint.ErrAbsent)
	}
	if err != nil {
		return nil, fmt.Errorf("get %s: %w", key, err)
	}
	defer out.Body.Close() //nolint:errcheck // it was read
	b, err := io.ReadAll(io.LimitReader(out.Body, checkpoint.MaxObject+1))
	if err != nil {
		return nil, fmt.Errorf("get %s: %w", key, err)
	}
	if len(b) > checkpoint.MaxObject {
		return nil, fmt.Errorf("get %s: it is larger than any object is", key)
	}
	return b, nil
}

// List implements checkpoint.Vault.
func (v *Vault) List(ctx context.Context, prefix, after string) (keys []string, err error) {
	in := &s3.ListObjectsV2Input{Bucket: v.bucket, Prefix: &prefix}
	if after != "" {
		in.StartAfter = &after
	}
	out, err := v.client.ListObjectsV2(ctx, in)
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", prefix, err)
	}
	for _, o := range out.Contents {
		keys = append(keys, aws.ToString(o.Key))
	}
	return keys, nil
}
