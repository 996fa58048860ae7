// No static imports: an older Node would fail on them before it could be told what is wrong.
const NODE_MAJOR = 24;

if (Number(process.versions.node.split('.')[0]) < NODE_MAJOR) {
  console.error(`Holdfast needs Node ${NODE_MAJOR}, this is ${process.versions.node}. Start it with "npm start", which brings its own.`);
  process.exitCode = 1;
} else {
  const { runEmbedded } = await import('./run-embedded.js');
  await runEmbedded();
}
