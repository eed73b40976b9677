#!/usr/bin/env node
// The npm package solc behind the two command lines of the native compiler that Foundry and
// Assay use: `--version`, and `--standard-json` from standard input to standard output.
const { readFileSync } = require("fs");
const { resolve, sep } = require("path");
const modules = process.env.ASSAY_NODE_MODULES;
const beside = () => require.resolve("solc", { paths: [__dirname, process.cwd()] });
const solc = require(modules ? resolve(modules, "solc") : beside());
if (process.argv.includes("--version")) {
  const version = solc.version().replace(/Emscripten\.clang$/, "Linux.g++");
  console.log(`solc, the solidity compiler commandline interface\nVersion: ${version}`);
} else {
  // Foundry leaves what packages import of each other to the compiler; Assay gives every source itself.
  const packages = resolve(process.cwd(), "..", "node_modules") + sep;
  const read = (path) => {
    const file = resolve(process.cwd(), path);
    if (!file.startsWith(packages)) return { error: `${path} is in no package` };
    try {
      return { contents: readFileSync(file, "utf8") };
    } catch (error) {
      return { error: error.message };
    }
  };
  process.stdout.write(solc.compile(readFileSync(0, "utf8"), modules ? undefined : { import: read }));
}
