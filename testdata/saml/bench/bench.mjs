// How long @node-saml/node-saml takes for a recorded response: npm ci && node bench.mjs
// Its clock is set back to the recording; what it accepts is the same response that BenchmarkVerify measures.
import { readFileSync } from "node:fs";
import { SAML } from "@node-saml/node-saml";

const folder = new URL("../ssp/", import.meta.url);
const read = (name) => readFileSync(new URL(name, folder), "utf8");
const expected = JSON.parse(read("response-01.json"));
const form = read("response-01.b64").trim();
const certificate = /<(?:\w+:)?X509Certificate>([^<]+)</.exec(read("idp-metadata.xml"))[1].replace(/\s/g, "");
const issuer = /entityID="([^"]+)"/.exec(read("idp-metadata.xml"))[1];

const RealDate = Date;
const offset = RealDate.parse(expected.time) - RealDate.now();
globalThis.Date = class extends RealDate {
  constructor(...args) {
    if (args.length) super(...args);
    else super(RealDate.now() + offset);
  }
  static now() {
    return RealDate.now() + offset;
  }
};

const sp = new SAML({
  callbackUrl: expected.acs, issuer: expected.entityID, audience: expected.entityID, idpIssuer: issuer, idpCert: certificate,
  wantAssertionsSigned: true, wantAuthnResponseSigned: true, validateInResponseTo: "never", acceptedClockSkewMs: 60000,
});

async function run(seconds) {
  const end = performance.now() + seconds * 1000;
  const begin = performance.now();
  let n = 0;
  for (; performance.now() < end; n++) await sp.validatePostResponseAsync({ SAMLResponse: form });
  return ((performance.now() - begin) * 1e6) / n;
}
const { profile } = await sp.validatePostResponseAsync({ SAMLResponse: form });
if (!profile.nameID) throw new Error("not accepted");
await run(1);
console.log(`node-saml ${Math.round(await run(3))} ns/op`);
