// node verify.js ANSWER.der CA.pem
//
// Verifies an OCSP answer with nothing of ours: its signature with the key of
// the first certificate in it, that certificate's with the CA's key. Prints what
// was verified, or ends with status 1.
const fs = require('node:fs');
const crypto = require('node:crypto');
const { ml_dsa44, ml_dsa65, ml_dsa87 } = require('@noble/post-quantum/ml-dsa');

// elements splits the DER elements that stand one behind the other.
function elements(der) {
  const all = [];
  for (let at = 0; at < der.length;) {
    let length = der[at + 1], head = 2;
    if (length > 0x80) {
      head = 2 + length - 0x80;
      length = der.subarray(at + 2, at + head).reduce((n, octet) => n * 256 + octet, 0);
    }
    const end = at + head + length;
    if (end > der.length) throw new Error('DER that ends too early');
    all.push({ tag: der[at], whole: der.subarray(at, end), content: der.subarray(at + head, end) });
    at = end;
  }
  return all;
}

const inside = (element) => elements(element.content);
const bits = (element) => element.content.subarray(1);
const oid = (algorithm) => inside(algorithm)[0].content.toString('hex');

// signed is what certificates and BasicOCSPResponses have in common.
function signed(element) {
  const [tbs, algorithm, signature, more] = inside(element);
  return { tbs, oid: oid(algorithm), signature: bits(signature), more };
}

// keyOf finds the key in a certificate: the first SEQUENCE in the TBSCertificate
// that has an algorithm and a BIT STRING.
function keyOf(certificate) {
  const info = inside(signed(certificate).tbs).find((e) => {
    const parts = e.tag === 0x30 ? inside(e) : [];
    return parts.length === 2 && parts[1].tag === 0x03;
  });
  const [algorithm, key] = inside(info);
  return { oid: oid(algorithm), octets: bits(key), info: info.whole };
}

const nist = '6086480165030403';
const levels = {
  [nist + '11']: { name: 'ML-DSA-44', dsa: ml_dsa44, key: 1312, signature: 2420 },
  [nist + '12']: { name: 'ML-DSA-65', dsa: ml_dsa65, key: 1952, signature: 3309 },
  [nist + '13']: { name: 'ML-DSA-87', dsa: ml_dsa87, key: 2592, signature: 4627 },
};
const [l44, l65, l87] = Object.values(levels);

const p256 = ['3059301306072a8648ce3d020106082a8648ce3d030107034200', 'sha256'];
const p384 = ['3076301006072a8648ce3d020106052b81040022036200', 'sha384'];
const p521 = ['30819b301006072a8648ce3d020106052b8104002303818600', 'sha512'];

// draft-ietf-lamps-pq-composite-sigs-14, section 6
const composites = {
  '2b06010505070628': ['MLDSA44-ECDSA-P256-SHA256', l44, p256, 'sha256'],
  '2b0601050507062d': ['MLDSA65-ECDSA-P256-SHA512', l65, p256, 'sha512'],
  '2b0601050507062e': ['MLDSA65-ECDSA-P384-SHA512', l65, p384, 'sha512'],
  '2b06010505070631': ['MLDSA87-ECDSA-P384-SHA512', l87, p384, 'sha512'],
  '2b06010505070636': ['MLDSA87-ECDSA-P521-SHA512', l87, p521, 'sha512'],
};

const ecdsa = { '2a8648ce3d040302': 'sha256', '2a8648ce3d040303': 'sha384', '2a8648ce3d040304': 'sha512' };

function verifyClassical(info, digest, message, signature) {
  return crypto.verify(digest, message, { key: info, format: 'der', type: 'spki' }, signature);
}

function verifyComposite([name, level, [prefix, digest], hash], key, message, signature) {
  const label = Buffer.from('COMPSIG-' + name);
  const hashed = crypto.createHash(hash).update(message).digest();
  const both = Buffer.concat([Buffer.from('CompositeAlgorithmSignatures2025'), label, Buffer.from([0]), hashed]);
  const info = Buffer.concat([Buffer.from(prefix, 'hex'), key.subarray(level.key)]);
  return level.dsa.verify(key.subarray(0, level.key), both, signature.subarray(0, level.signature), label) &&
    verifyClassical(info, digest, both, signature.subarray(level.signature));
}

function verify(what, key, { tbs, oid, signature }) {
  let name, ok;
  if (levels[oid] && key.oid === oid) {
    name = levels[oid].name;
    ok = levels[oid].dsa.verify(key.octets, tbs.whole, signature);
  } else if (composites[oid] && key.oid === oid) {
    name = composites[oid][0];
    ok = verifyComposite(composites[oid], key.octets, tbs.whole, signature);
  } else if (ecdsa[oid]) {
    name = 'ECDSA with ' + ecdsa[oid];
    ok = verifyClassical(key.info, ecdsa[oid], tbs.whole, signature);
  }
  if (!ok) {
    console.error(`${what}: the signature is wrong (${name ?? oid})`);
    process.exit(1);
  }
  console.log(`${what}: ${name} verified`);
}

const [answer, caFile] = process.argv.slice(2).map((path) => fs.readFileSync(path));
const pem = caFile.toString().match(/-----BEGIN CERTIFICATE-----([^-]*)/)[1];
const [ca] = elements(Buffer.from(pem, 'base64'));
const [, bytes] = inside(elements(answer)[0]); // responseStatus, responseBytes
const [, octets] = inside(inside(bytes)[0]); // responseType, response
const basic = signed(inside(octets)[0]);
const [delegate] = basic.more ? inside(inside(basic.more)[0]) : [ca];
verify('answer', keyOf(delegate), basic);
verify('certificate', keyOf(ca), signed(delegate));
console.log(`${answer.length} bytes`);
