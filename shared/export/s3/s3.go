// Package s3 keeps export's objects in a bucket. The bucket is encrypted, shut to
// the public and without versions: infra/stack makes it so, and this package
// relies on it.
//
// The SDK repeats what was throttled or lost, three times in all. Each call may
// be repeated: an object is replaced whole, and what is deleted stays deleted.
//
// boot and tests import it. Who only signs imports presign alone.
package s3

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"rightsdesk/shared/export"
	"rightsdesk/shared/export/s3/presign"
)

// deleteBatch is how many objects one call deletes at most.
const deleteBatch = 1000

// Store implements export.Store and is safe for concurrent use.
type Store struct {
	*presign.Signer
	client *s3.Client
	bucket *string
}

var _ export.Store = (*Store)(nil)

// New returns the store in a bucket of the account and endpoint that cfg leads to.
func New(cfg aws.Config, bucket string) *Store {
	return &Store{
		Signer: presign.New(cfg, bucket),
		client: s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = cfg.BaseEndpoint != nil }),
		bucket: &bucket,
	}
}

// Put implements export.Store. A body that can seek is read again when the call
// is repeated; any other is read into memory first.
func (s *Store) Put(ctx context.Context, key string, body io.Reader, size int64) error {
	if _, ok := body.(io.Seeker); !ok {
		b, err := io.ReadAll(io.LimitReader(body, size+1))
		if err != nil {
			return fmt.Errorf("put %s: %w", key, err)
		}
		if int64(len(b)) != size {
			return fmt.Errorf("put %s: the body does not have the %d bytes that were announced", key, size)
		}
		body = bytes.NewReader(b)
	}
	_, err := s.client.PutObject(ctx, &s3.PutObjectInput{Bucket: s.bucket, Key: &key, Body: body, ContentLength: &size})
	if err != nil {
		return fmt.Errorf("put %s: %w", key, err)
	}
	return nil
}

// Get implements export.Store. A body that breaks off ends in an error, never
// in io.EOF.
func (s *Store) Get(ctx context.Context, key string) (io.ReadCloser, error) {
	out, err := s.client.GetObject(ctx, &s3.GetObjectInput{Bucket: s.bucket, Key: &key})
	if _, ok := errors.AsType[*types.NoSuchKey](err); ok {
		return nil, fmt.Errorf("get %s: %w", key, export.ErrAbsent)
	}
	if err != nil {
		return nil, fmt.Errorf("get %s: %w", key, err)
	}
	return out.Body, nil
}

// Delete implements export.Store.
func (s *Store) Delete(ctx context.Context, keys ...string) error {
	for batch := range slices.Chunk(keys, deleteBatch) {
		objects := make([]types.ObjectIdentifier, len(batch))
		for i := range batch {
			objects[i].Key = &batch[i]
		}
		out, err := s.client.DeleteObjects(ctx, &s3.DeleteObjectsInput{
			Bucket: s.bucket,
			Delete: &types.Delete{Objects: objects, Quiet: aws.Bool(true)},
		})
		if err != nil {
			return fmt.Errorf("delete %d objects: %w", len(batch), err)
		}
		if len(out.Errors) > 0 { // the call as a whole succeeds all the same
			first := out.Errors[0]
			return fmt.Errorf("delete: %d of %d objects are still there, first %s: %s",
				len(out.Errors), len(batch), aws.ToString(first.Key), aws.ToString(first.Code))
		}
	}
	return nil
}

// List implements export.Store.
func (s *Store) List(ctx context.Context, prefix, cursor string) (keys []string, next string, err error) {
	in := &s3.ListObjectsV2Input{Bucket: s.bucket, Prefix: &prefix}
	if cursor != "" {
		in.ContinuationToken = &cursor
	}
	out, err := s.client.ListObjectsV2(ctx, in)
	if err != nil {
		return nil, "", fmt.Errorf("list %s: %w", prefix, err)
	}
	for _, o := range out.Contents {
		keys = append(keys, aws.ToString(o.Key))
	}
	return keys, aws.ToString(out.NextContinuationToken), nil
}
