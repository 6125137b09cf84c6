// Package policies lets a function publish policies: those that operators put into the
// bucket, and the ready profile with the particulars that the installation was given.
// Mains import it.
package policies

import (
	"context"
	"errors"
	"fmt"
	"io"

	"rightsdesk/shared/boot"
	"rightsdesk/shared/edition"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/topology"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// Part is for the function whose topology entry publishes editions. It stands before
// the part that answers operators.
var Part = boot.Part{
	Name:   "policies",
	Grants: func(f topology.Function) bool { return f.Editions },
	Fill: func(_ context.Context, a *boot.Assembly) error {
		name := a.Setting(topology.Profile)
		profile, ok := policy.Profile(name)
		if !ok {
			return fmt.Errorf("%s is %q, which is no profile; there are %v", topology.Profile, name, policy.ProfileNames())
		}
		b := a.Editions
		b.From, b.Shelf = edition.Bucket, &bucket{
			client: s3.NewFromConfig(a.AWS, func(o *s3.Options) { o.UsePathStyle = a.AWS.BaseEndpoint != nil }), name: a.Setting(topology.PolicyBucket),
		}
		a.Try("bucket of policies", "", func(ctx context.Context) (string, error) {
			_, err := b.Shelf.Read(ctx)
			return "", err
		})
		controller, contact := a.Setting(topology.ControllerName), a.Setting(topology.PrivacyContact)
		b.Profile = func() ([]byte, error) {
			if controller == topology.NoValue || contact == topology.NoValue {
				return nil, nil
			}
			return policy.Fill(profile, policy.ParticularsOf(controller, contact, a.BaseURL+"/policy"))
		}
		if a.Setting(topology.MailMode) != topology.MailOff && a.Setting(topology.Sender) == topology.NoValue {
			b.Lacks = []edition.Lack{edition.NoSender}
		}
		return nil
	},
}

// Key is the name of the object that operators put their policy into.
const Key = "policy.yaml"

// bucket is where operators put their policy.
type bucket struct {
	client *s3.Client
	name   string
}

var _ edition.Shelf = (*bucket)(nil)

// Read implements edition.Shelf. What is larger than any policy is read up to where
// that shows.
func (b *bucket) Read(ctx context.Context) ([]byte, error) {
	out, err := b.client.GetObject(ctx, &s3.GetObjectInput{Bucket: &b.name, Key: aws.String(Key)})
	if _, none := errors.AsType[*types.NoSuchKey](err); none {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("get %s of the bucket %s: %w", Key, b.name, err)
	}
	file, err := io.ReadAll(io.LimitReader(out.Body, policy.MaxFile+1))
	if err = errors.Join(err, out.Body.Close()); err != nil {
		return nil, fmt.Errorf("get %s of the bucket %s: %w", Key, b.name, err)
	}
	return file, nil
}
