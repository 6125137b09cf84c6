package change

// kind is what has to be known of a type of resource before one of it is changed.
type kind struct {
	// fixed are the properties that cannot be changed: another value makes another
	// resource. They are CloudFormation's own, from its published schemas.
	fixed []string
	// loses is what is gone, or no longer found, when one of it is replaced or deleted.
	// Blank: nothing that matters, the new one does the same.
	loses string
	// importable are the properties by which CloudFormation takes over one that exists: the
	// physical id alone, or others of the same template.
	importable []string
}

// kinds is every type that our templates have, or soon may. A test fails if a template has
// another one.
var kinds = map[string]kind{
	"AWS::AppConfig::Application":                       {},
	"AWS::AppConfig::ConfigurationProfile":              {fixed: []string{"LocationUri", "Type", "ApplicationId"}},
	"AWS::AppConfig::HostedConfigurationVersion":        {fixed: []string{"ApplicationId", "ConfigurationProfileId", "Content", "ContentType", "Description", "VersionLabel", "LatestVersionNumber"}},
	"AWS::ApiGatewayV2::Api":                            {fixed: []string{"ProtocolType"}, loses: "the API's own address: links in mails that were sent lead nowhere, unless there is a domain of your own"},
	"AWS::ApiGatewayV2::ApiMapping":                     {fixed: []string{"DomainName"}},
	"AWS::ApiGatewayV2::Authorizer":                     {fixed: []string{"ApiId"}},
	"AWS::ApiGatewayV2::DomainName":                     {fixed: []string{"DomainName"}, loses: "the target of your DNS record: point it to the new one"},
	"AWS::ApiGatewayV2::Integration":                    {fixed: []string{"ApiId"}},
	"AWS::ApiGatewayV2::Route":                          {fixed: []string{"ApiId"}},
	"AWS::ApiGatewayV2::Stage":                          {fixed: []string{"StageName", "ApiId"}},
	"AWS::CloudFront::Distribution":                     {loses: "the address at the edge: links in mails that were sent lead nowhere, unless there is a domain of your own"},
	"AWS::CloudWatch::Alarm":                            {fixed: []string{"AlarmName"}},
	"AWS::CloudWatch::Dashboard":                        {fixed: []string{"DashboardName"}},
	"AWS::Cognito::ManagedLoginBranding":                {fixed: []string{"UserPoolId", "ClientId"}},
	"AWS::Cognito::UserPool":                            {fixed: []string{"UsernameAttributes", "AliasAttributes", "UsernameConfiguration"}, loses: "every operator's account and second factor", importable: []string{"UserPoolId"}},
	"AWS::Cognito::UserPoolClient":                      {fixed: []string{"GenerateSecret", "UserPoolId"}, loses: "the client id with which operators sign in"},
	"AWS::Cognito::UserPoolDomain":                      {fixed: []string{"UserPoolId", "Domain"}, loses: "the address at which operators sign in"},
	"AWS::Cognito::UserPoolGroup":                       {fixed: []string{"UserPoolId", "GroupName"}, loses: "who has the role of this group", importable: []string{"UserPoolId", "GroupName"}},
	"AWS::Cognito::UserPoolUser":                        {fixed: []string{"UserPoolId", "Username", "UserAttributes", "DesiredDeliveryMediums", "ForceAliasCreation", "MessageAction", "ValidationData", "ClientMetadata"}, loses: "the first operator's account", importable: []string{"UserPoolId", "Username"}},
	"AWS::Cognito::UserPoolUserToGroupAttachment":       {fixed: []string{"UserPoolId", "GroupName", "Username"}, importable: []string{"UserPoolId", "GroupName", "Username"}},
	"AWS::DynamoDB::Table":                              {fixed: []string{"TableName", "KeySchema", "ImportSourceSpecification"}, loses: "everything in this table, for the new one is empty", importable: []string{"TableName"}},
	"AWS::Events::Archive":                              {fixed: []string{"ArchiveName", "SourceArn"}, loses: "the events that were kept"},
	"AWS::Events::EventBus":                             {fixed: []string{"Name"}, loses: "the rules that your own systems have on it"},
	"AWS::Events::EventBusPolicy":                       {fixed: []string{"EventBusName", "StatementId"}},
	"AWS::Events::Rule":                                 {fixed: []string{"Name"}},
	"AWS::IAM::ManagedPolicy":                           {fixed: []string{"ManagedPolicyName", "Description", "Path"}},
	"AWS::IAM::Policy":                                  {},
	"AWS::IAM::Role":                                    {fixed: []string{"Path", "RoleName"}, loses: "the ARN that roles in your accounts trust: name the new one there"},
	"AWS::KMS::Alias":                                   {fixed: []string{"AliasName"}},
	"AWS::KMS::Key":                                     {loses: "the key of the key ring: no sealed field can be read again", importable: []string{"KeyId"}},
	"AWS::Lambda::Alias":                                {fixed: []string{"Name", "FunctionName"}},
	"AWS::Lambda::EventInvokeConfig":                    {fixed: []string{"FunctionName", "Qualifier"}},
	"AWS::Lambda::EventSourceMapping":                   {fixed: []string{"EventSourceArn", "StartingPosition", "StartingPositionTimestamp", "SelfManagedEventSource"}},
	"AWS::Lambda::Function":                             {fixed: []string{"FunctionName", "PackageType", "TenancyConfig"}},
	"AWS::Lambda::Permission":                           {fixed: []string{"FunctionName", "SourceArn", "SourceAccount", "Principal", "PrincipalOrgID", "Action", "EventSourceToken", "FunctionUrlAuthType", "InvokedViaFunctionUrl"}},
	"AWS::Lambda::Version":                              {fixed: []string{"FunctionName", "Description", "CodeSha256", "ProvisionedConcurrencyConfig", "RuntimePolicy"}},
	"AWS::Logs::LogGroup":                               {fixed: []string{"LogGroupName"}, loses: "the log so far"},
	"AWS::Logs::MetricFilter":                           {fixed: []string{"FilterName", "LogGroupName"}},
	"AWS::S3::Bucket":                                   {fixed: []string{"BucketName", "BucketNamePrefix", "BucketNamespace"}, loses: "everything in this bucket, for the new one is empty", importable: []string{"BucketName"}},
	"AWS::S3::BucketPolicy":                             {fixed: []string{"Bucket"}},
	"AWS::SES::ConfigurationSet":                        {fixed: []string{"Name"}},
	"AWS::SES::ConfigurationSetEventDestination":        {fixed: []string{"ConfigurationSetName"}},
	"AWS::SES::EmailIdentity":                           {fixed: []string{"EmailIdentity"}, loses: "the proof that the domain is yours: its DNS records have to be set anew", importable: []string{"EmailIdentity"}},
	"AWS::SNS::Subscription":                            {fixed: []string{"Endpoint", "Protocol", "TopicArn"}},
	"AWS::SNS::Topic":                                   {fixed: []string{"TopicName", "FifoTopic"}, loses: "who subscribed to alarms"},
	"AWS::SNS::TopicPolicy":                             {},
	"AWS::SNS::TopicInlinePolicy":                       {fixed: []string{"TopicArn"}},
	"AWS::SQS::Queue":                                   {fixed: []string{"FifoQueue", "QueueName"}, loses: "the messages in it: sweeps find the work again, what was parked is evidence and is gone"},
	"AWS::SQS::QueuePolicy":                             {},
	"AWS::Scheduler::Schedule":                          {fixed: []string{"Name"}},
	"AWS::Scheduler::ScheduleGroup":                     {fixed: []string{"Name"}},
	"AWS::SecretsManager::Secret":                       {fixed: []string{"Name"}, loses: "the secret's value"},
	"AWS::SecretsManager::ResourcePolicy":               {fixed: []string{"SecretId"}},
	"AWS::WAFv2::WebACL":                                {fixed: []string{"Name", "Scope"}, loses: "the ARN that the installation was given as EdgeWebAclArn: give the new one"},
	"AWS::WAFv2::LoggingConfiguration":                  {fixed: []string{"ResourceArn"}},
	"AWS::CloudFront::OriginRequestPolicy":              {},
	"AWS::CloudFront::CachePolicy":                      {},
	"AWS::CloudFront::ResponseHeadersPolicy":            {},
	"AWS::Cognito::UserPoolResourceServer":              {fixed: []string{"UserPoolId", "Identifier"}},
	"AWS::Cognito::UserPoolRiskConfigurationAttachment": {fixed: []string{"UserPoolId", "ClientId"}},
}
