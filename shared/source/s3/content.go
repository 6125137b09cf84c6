package s3source

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
)

// maxContent is the largest object whose content is part of a copy.
const maxContent = 1 << 20

// errGone: the version was deleted between the list and the read.
var errGone = errors.New("the version is gone")

// object is what a copy shows of a version.
type object struct {
	Name     string            `json:"name"` // what follows the person's prefix
	Modified time.Time         `json:"modified"`
	Version  string            `json:"version,omitempty"`
	Current  bool              `json:"current"`
	Deleted  bool              `json:"deleted,omitempty"` // a delete marker: nothing but the name
	Size     int64             `json:"size"`
	Type     string            `json:"type,omitempty"`
	Metadata map[string]string `json:"metadata,omitempty"`
	Tags     map[string]string `json:"tags,omitempty"`
	Content  []byte            `json:"content,omitempty"` // base64
	// LeftOut says why there is no content: too_large or archived. Whoever answers
	// hands it over in another way.
	LeftOut string `json:"content_left_out,omitempty"`
}

// fields returns a version as the fields of a record.
func (s *Source) fields(ctx context.Context, lead string, e entry) (json.RawMessage, error) {
	o := object{Name: e.key[len(lead):], Modified: e.at.UTC(), Current: e.latest, Deleted: e.marker, Size: e.size, Tags: e.tags}
	if e.version != unversioned {
		o.Version = e.version
	}
	if !e.marker {
		if err := s.read(ctx, e, &o); err != nil {
			return nil, err
		}
	}
	raw, err := json.Marshal(o)
	if err != nil {
		return nil, refused(errors.New("an object cannot be written as JSON")) // err might quote it
	}
	return raw, nil
}

// read fills in what only the object itself says.
func (s *Source) read(ctx context.Context, e entry, o *object) error {
	switch {
	case e.size > maxContent:
		o.LeftOut = "too_large"
	case e.class == types.ObjectStorageClassGlacier, e.class == types.ObjectStorageClassDeepArchive:
		o.LeftOut = "archived"
	}
	tags := int32(0)
	if o.LeftOut == "" {
		out, err := s.o.Client.GetObject(ctx, &s3.GetObjectInput{Bucket: &s.m.Bucket, Key: &e.key, VersionId: &e.version})
		switch {
		case isGone(err):
			return errGone
		case isArchived(err): // a class that moves to an archive by itself
			o.LeftOut = "archived"
		case err != nil:
			return sorted(err)
		default:
			o.Content, err = io.ReadAll(io.LimitReader(out.Body, maxContent+1))
			_ = out.Body.Close() // it was read
			if err != nil || int64(len(o.Content)) != e.size {
				return sorted(err)
			}
			o.Type, o.Metadata, tags = aws.ToString(out.ContentType), out.Metadata, aws.ToInt32(out.TagCount)
		}
	}
	if o.LeftOut != "" {
		out, err := s.o.Client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &s.m.Bucket, Key: &e.key, VersionId: &e.version})
		if isGone(err) {
			return errGone
		}
		if err != nil {
			return sorted(err)
		}
		o.Type, o.Metadata, tags = aws.ToString(out.ContentType), out.Metadata, aws.ToInt32(out.TagCount)
	}
	if tags > 0 && o.Tags == nil {
		if err := s.readTags(ctx, &e); err != nil {
			return err
		}
		o.Tags = e.tags
	}
	return nil
}

func isArchived(err error) bool {
	api, ok := errors.AsType[smithy.APIError](err)
	return ok && api.ErrorCode() == "InvalidObjectState"
}
