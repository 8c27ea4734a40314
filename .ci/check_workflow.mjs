// GitHub's own parser of workflows. Bundled by .ci/run: unbundled, it fails on an import of JSON.
// node check_workflow.cjs FILE…: prints each fault of each file as a line; exits with 1 if there is one.
import fs from "node:fs";
import {convertWorkflowTemplate, NoOperationTraceWriter, parseWorkflow} from "@actions/workflow-parser";

async function faults(name) {
  const content = fs.readFileSync(name, "utf8");
  const {context, value} = parseWorkflow({name, content}, new NoOperationTraceWriter());
  if (value) await convertWorkflowTemplate(context, value);
  return context.errors.getErrors().map((error) => error.message);
}

Promise.all(process.argv.slice(2).map(faults)).then((found) => {
  for (const message of found.flat()) console.log(message);
  process.exitCode = found.flat().length ? 1 : 0;
});
