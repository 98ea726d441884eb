// Signs a token with the key of an account, as programs for Node.js do; says it as JSON.
import { readFileSync } from "node:fs";
import jsonwebtoken from "jsonwebtoken";
import { SignJWT } from "jose";

const { library, key, secret, id } = JSON.parse(readFileSync(0, "utf8"));

const sign = {
  // As the documentation of addons-server shows it.
  jsonwebtoken: () => {
    const issuedAt = Math.floor(Date.now() / 1000);
    const payload = { iss: key, jti: id, iat: issuedAt, exp: issuedAt + 60 };
    return jsonwebtoken.sign(payload, secret, { algorithm: "HS256" });
  },
  // The very calls with which web-ext signs: no id, five minutes, the clock read twice.
  jose: () =>
    new SignJWT({ iss: key })
      .setProtectedHeader({ alg: "HS256" })
      .setIssuedAt()
      .setExpirationTime("300seconds")
      .sign(Uint8Array.from(Buffer.from(secret, "utf8"))),
};

console.log(JSON.stringify(await sign[library]()));
