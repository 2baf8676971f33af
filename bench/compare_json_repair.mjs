// SPDX-License-Identifier: Apache-2.0
// The part of compare_json_repair.py that runs in Node: times jsonrepair. Arguments: the package's directory, the file with an
// array of texts, how many of them to time. For each line on standard input one round; its CPU seconds go to standard output.
// "exact FILE" counts how many of all become what FILE, an array of values, has.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { isDeepStrictEqual } from "node:util";

const [directory, malformed, documents] = process.argv.slice(2);
const { jsonrepair } = createRequire(directory + "/")("jsonrepair");
const texts = JSON.parse(readFileSync(malformed, "utf8"));
const timed = texts.slice(0, Number(documents));

function attempt(text) {
  try {
    return jsonrepair(text);
  } catch {
    return null; // it refuses some
  }
}

function round() {
  const before = process.cpuUsage();
  for (const text of timed) attempt(text);
  const used = process.cpuUsage(before);
  return (used.user + used.system) / 1e6;
}

function exact(path) {
  const truths = JSON.parse(readFileSync(path, "utf8"));
  return texts.filter((text, i) => {
    const repaired = attempt(text);
    return repaired !== null && isDeepStrictEqual(JSON.parse(repaired), truths[i]);
  }).length;
}

for (let i = 0; i < 5; i++) round(); // until it is compiled
for await (const line of createInterface({ input: process.stdin }))
  console.log(line.startsWith("exact ") ? exact(line.slice(6)) : round());
