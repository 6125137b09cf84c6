// Judges templates by both packs of cdk-nag and by the CDK's own validation, in one
// process: loading the CDK takes longer than all of it. Writes a line of JSON for each
// finding: tool, rule, template, resource, message.
const path = require('path');
const { App, Stack } = require('aws-cdk-lib');
const { CfnInclude } = require('aws-cdk-lib/cloudformation-include');
const { AwsSolutionsChecks, ServerlessChecks } = require('cdk-nag');

const cdk = path.dirname(require.resolve('aws-cdk-lib/package.json'));
const validate = require(require.resolve('@aws/cloudformation-validate', { paths: [cdk] }));

const found = (finding) => console.log(JSON.stringify(finding));
const engine = new validate.CompositeEngine();

for (const template of process.argv.slice(2)) {
  const app = new App();
  const stack = new Stack(app, 'Scanned');
  new CfnInclude(stack, 'Template', { templateFile: template });
  for (const pack of [new AwsSolutionsChecks(app), new ServerlessChecks(app)]) {
    for (const violation of pack.validateScope(stack).violations) {
      for (const { constructPath } of violation.violatingResources) {
        found({ tool: 'cdk-nag', rule: violation.ruleName, template, resource: constructPath.split('/').pop(), message: violation.description });
      }
    }
  }
  for (const d of engine.validateTemplate(new validate.TemplateFile(template)).diagnostics) {
    found({ tool: 'validate', rule: d.ruleId, template, resource: d.entity?.logicalId ?? d.propertyPath ?? '', message: d.message });
  }
}
engine.free();
found('end');
