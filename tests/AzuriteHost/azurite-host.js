// Azurite's blob service for tests and benchmarks: node azurite-host.js MAIN ADDRESS PORT FOLDER. It ends when its standard input does, so with the process that started it.
const [main, address, port, folder] = process.argv.slice(2);
process.stdin.on("end", () => process.exit(0)).on("error", () => process.exit(0)).resume();
process.argv = [process.argv[0], main, "--blobHost", address, "--blobPort", port, "--location", folder, "--silent", "--skipApiVersionCheck", "--disableProductStyleUrl", "--disableTelemetry"];
require(main);
