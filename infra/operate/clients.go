package operate

import (
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
)

var (
	_ *cloudwatch.Client
	_ *lambda.Client
	_ *scheduler.Client
)
