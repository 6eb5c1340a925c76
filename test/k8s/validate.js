// What `validate` runs: validate.js MODULES FILE... ; the packages are looked for
// in MODULES. One line for each document; status 1 if one of them is wrong.
'use strict';

const fs = require('fs');
const path = require('path');
const { createRequire } = require('module');

const [modules, ...files] = process.argv.slice(2);
const load = createRequire(path.join(path.resolve(modules), 'here.js'));
const yaml = load('js-yaml');
const ts = load('typescript');

// Documents of all files: { where, manifest } or { where, errors }.
function read(file) {
	try {
		const docs = yaml.loadAll(fs.readFileSync(file, 'utf8'))
			.filter((doc) => doc !== null && doc !== undefined);
		if (docs.length === 0)
			return [{ where: file, errors: ['no document in it'] }];
		return docs.map((manifest, i) => ({
			where: `${file}: ${describe(manifest, i)}`, manifest,
		}));
	} catch (e) {
		return [{ where: file, errors: [e.message] }];
	}
}

function describe(manifest, i) {
	const name = manifest.metadata && manifest.metadata.name;
	return `${manifest.kind || 'document'} ${name || i + 1}`;
}

// The module of the API's package that is about this kind
function moduleOf({ apiVersion, kind }) {
	if (!/^([a-z0-9.-]+\/)?v[0-9a-z]+$/.test(apiVersion) ||
	    !/^[A-Z][A-Za-z]+$/.test(kind))
		return undefined;
	const name = `kubernetes-models/${apiVersion}/${kind}`;
	try {
		load.resolve(name);
		return name;
	} catch {
		return undefined;
	}
}

function checkSchema(doc) {
	const Model = load(doc.module)[doc.manifest.kind];
	try {
		new Model(doc.manifest).validate();
	} catch (e) {
		doc.errors.push(`schema: ${e.message}`);
	}
}

// All documents as one program, since a start of the compiler takes seconds.
function checkTypes(docs) {
	const folder = fs.mkdtempSync(path.join(modules, 'check-'));
	try {
		const sources = docs.map((doc, i) => {
			const source = path.join(folder, `${i}.ts`);
			const type = `I${doc.manifest.kind}`;
			fs.writeFileSync(source,
				`import type { ${type} } from "${doc.module}";\n` +
				`export const manifest: ${type} = ` +
				`${JSON.stringify(doc.manifest, null, 1)};\n`);
			return source;
		});
		const program = ts.createProgram(sources, {
			noEmit: true, strict: true, skipLibCheck: true, types: [],
			target: ts.ScriptTarget.ES2022,
			module: ts.ModuleKind.Node16,
			moduleResolution: ts.ModuleResolutionKind.Node16,
		});
		for (const d of ts.getPreEmitDiagnostics(program)) {
			const text = ts.flattenDiagnosticMessageText(d.messageText, ' ');
			const i = d.file ? sources.indexOf(d.file.fileName) : -1;
			(docs[i] || docs[0]).errors.push(`type: ${text}`);
		}
	} finally {
		fs.rmSync(folder, { recursive: true });
	}
}

const docs = files.flatMap(read);
for (const doc of docs.filter((d) => d.manifest)) {
	doc.errors = [];
	doc.module = moduleOf(doc.manifest);
	if (doc.module)
		checkSchema(doc);
	else
		doc.errors.push('the API has no ' +
			`${doc.manifest.apiVersion} ${doc.manifest.kind}`);
}
const known = docs.filter((d) => d.module);
if (known.length > 0)
	checkTypes(known);

for (const { where, errors } of docs)
	console.log(errors.length === 0 ? `${where}: ok` :
		errors.map((e) => `${where}: ${e}`).join('\n'));
process.exitCode = docs.some((d) => d.errors.length > 0) ? 1 : 0;
