#!/usr/bin/env node
// The npm package solc behind the two command lines of the native compiler that Foundry and
// Assay use: `--version`, and `--standard-json` from standard input to standard output.
const { resolve } = require("path");
const modules = process.env.ASSAY_NODE_MODULES;
const beside = () => require.resolve("solc", { paths: [__dirname, process.cwd()] });
const solc = require(modules ? resolve(modules, "solc") : beside());
if (process.argv.includes("--version")) {
  const version = solc.version().replace(/Emscripten\.clang$/, "Linux.g++");
  console.log(`solc, the solidity compiler commandline interface\nVersion: ${version}`);
} else {
  process.stdout.write(solc.compile(require("fs").readFileSync(0, "utf8")));
}
