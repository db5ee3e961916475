//! The published vectors of the formats, and what a verifier must not fall for.

use std::time::Duration;

use chat_core::time::Timestamp;
use serde_json::{Value, json};

use super::claims::Claims;
use super::jws::Jws;
use super::key::JwtKey;

const N: &str = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZ\
                 S-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2\
                 R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcD\
                 TW9gb54h4FRWyuXpoQ";
const CLAIMS: &str =
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";

fn hs256() -> Value {
    json!({"kty": "oct", "k": "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"})
}

fn rs256() -> Value {
    json!({"kty": "RSA", "n": N, "e": "AQAB"})
}

fn es256() -> Value {
    json!({"kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
           "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})
}

fn eddsa() -> Value {
    json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})
}

/// The keys and tokens of RFC 7515 A.1 (also RFC 7519 3.1), A.2 and A.3, and of RFC 8037 A.4.
fn vectors() -> Vec<(&'static str, Value, String)> {
    vec![
        (
            "HS256",
            hs256(),
            format!("eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.{CLAIMS}.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
        ),
        (
            "RS256",
            rs256(),
            format!(
                "eyJhbGciOiJSUzI1NiJ9.{CLAIMS}.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc\
                 _lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1\
                 L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY\
                 9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"
            ),
        ),
        (
            "ES256",
            es256(),
            format!(
                "eyJhbGciOiJFUzI1NiJ9.{CLAIMS}.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP\
                 3-Kg6NU1Q"
            ),
        ),
        (
            "EdDSA",
            eddsa(),
            "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcN\
             R4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
                .to_owned(),
        ),
    ]
}

const RSA_PEM: &str = "-----BEGIN PUBLIC KEY-----\n\
             MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAofgWCuLjybRlzo0tZWJj\n\
             NiuSfb4p4fAkd/wWJcyQoTbji9k0l8W26mPddxHmfHQp+Vaw+4qPCJrcS2mJPMEz\n\
             P1Pt0Bm4d4QlL+yRT+SFd2lZS+pCgNMsD1W/YpRPEwOWvG6b32690r2jZ47soMZo\n\
             9wGzjb/7OMg0LOL+bSf63kpaSHSXndS5z5rexMdbBYUsLA9e+KXBdQOS+UTo7WTB\n\
             EMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6/I5IhlJH7aGhyxX\n\
             FvUK+DWNmoudF8NAco9/h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXp\n\
             oQIDAQAB\n\
             -----END PUBLIC KEY-----";
const EC_PEM: &str = "-----BEGIN PUBLIC KEY-----\n\
             MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEf83OJ3D2xF1Bg8vub9tLe1gHMzV7\n\
             6e8Tus9uPHvRVEXH8UTNG72bfocs3+257rn0s2ldbqkLJK2KRiMohYjlrQ==\n\
             -----END PUBLIC KEY-----";
const ED_PEM: &str = "-----BEGIN PUBLIC KEY-----\n\
             MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n\
             -----END PUBLIC KEY-----";

#[test]
fn the_published_tokens_verify_with_their_keys_only() {
    for (alg, jwk, token) in vectors() {
        let jws = Jws::parse(&token).unwrap();
        assert_eq!(jws.header.alg, alg);
        for (other, jwk_of_other, _) in vectors() {
            let key = JwtKey::from_jwk(&jwk_of_other).unwrap();
            assert_eq!(
                key.verifies(jws.signed, &jws.signature),
                other == alg,
                "{alg} with the key of {other}"
            );
        }
        let key = JwtKey::from_jwk(&jwk).unwrap();
        assert_eq!(key.algorithm(), alg);
        let mut broken = jws.signature.clone();
        broken[5] ^= 1;
        assert!(
            !key.verifies(jws.signed, &broken),
            "{alg} with a broken signature"
        );
        assert!(
            !key.verifies(&format!("{}x", jws.signed), &jws.signature),
            "{alg} over other bytes"
        );
        assert!(!key.verifies(jws.signed, &[]), "{alg} without a signature");
    }
}

#[test]
fn pem_keys_are_the_same_keys() {
    for (pem, (alg, _, token)) in [RSA_PEM, EC_PEM, ED_PEM]
        .into_iter()
        .zip(vectors().into_iter().skip(1))
    {
        let key = JwtKey::from_pem(pem).unwrap();
        let jws = Jws::parse(&token).unwrap();
        assert_eq!(key.algorithm(), alg);
        assert!(key.verifies(jws.signed, &jws.signature), "{alg}");
    }
    for bad in [
        "",
        "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
        &RSA_PEM.replace("MIIB", "MIIA"),
    ] {
        assert!(JwtKey::from_pem(bad).is_err());
    }
}

#[test]
fn keys_for_other_things_are_refused() {
    let with = |mut jwk: Value, name: &str, value: &str| {
        jwk[name] = json!(value);
        JwtKey::from_jwk(&jwk)
    };
    assert!(with(rs256(), "alg", "RS256").is_ok());
    assert!(with(rs256(), "alg", "HS256").is_err());
    assert!(with(rs256(), "use", "enc").is_err());
    assert!(with(rs256(), "n", "AQAB").is_err());
    assert!(with(es256(), "crv", "P-384").is_err());
    assert!(with(es256(), "x", "AQAB").is_err());
    assert!(with(eddsa(), "crv", "X25519").is_err());
    assert!(with(hs256(), "k", "").is_err());
    assert!(with(hs256(), "kty", "none").is_err());
    assert!(JwtKey::from_jwk(&json!([1])).is_err());
}

#[test]
fn one_token_has_one_spelling() {
    let token = vectors().remove(0).2;
    assert!(Jws::parse(&token).is_some());
    // The last character of a 32-byte signature has two bits to spare.
    let twin = format!("{}l", token.strip_suffix('k').unwrap());
    let long = format!("{token}{}", "A".repeat(9_000));
    for bad in [
        "",
        ".",
        "..",
        "a.b",
        &token.replace('.', ". "),
        &format!("{token}="),
        &format!("{token}."),
        &format!(".{token}"),
        &format!("{token}.x"),
        &twin,
        &long,
    ] {
        assert!(Jws::parse(bad).is_none(), "{bad}");
    }
}

fn claims(json: &str) -> Option<Claims> {
    Claims::parse(json.as_bytes())
}

#[test]
fn claims_have_types() {
    assert!(claims(r#"{"sub":"u","exp":1}"#).is_some());
    assert!(claims(r#"{"sub":"u","exp":1.5,"nbf":0,"other":[{}]}"#).is_some());
    for bad in [
        r#"{"sub":"u"}"#,
        r#"{"exp":1}"#,
        r#"{"sub":"u","exp":"1"}"#,
        r#"{"sub":"u","exp":null}"#,
        r#"{"sub":"u","exp":true}"#,
        r#"{"sub":"u","exp":1e308}"#,
        r#"{"sub":"u","exp":1e999}"#,
        r#"{"sub":"u","exp":1,"exp":9999999999}"#,
        r#"{"sub":"u","sub":"v","exp":1}"#,
        r#"{"sub":1,"exp":1}"#,
        r#"{"sub":"u","exp":1,"nbf":"0"}"#,
        r#"["u",1]"#,
        "null",
        "",
    ] {
        assert!(claims(bad).is_none(), "{bad}");
    }
}

#[test]
fn tokens_hold_from_nbf_to_exp_with_leeway() {
    let claims = claims(r#"{"sub":"u","exp":1000,"nbf":500}"#).unwrap();
    let at =
        |seconds: i64| claims.check_time(Timestamp::from_millis(seconds * 1000), Duration::from_secs(60));
    assert_eq!(at(439).unwrap_err().code().as_str(), "token_invalid");
    assert!(at(440).is_ok());
    assert!(at(1059).is_ok());
    assert_eq!(at(1060).unwrap_err().code().as_str(), "token_expired");
}

#[test]
fn what_a_token_says_of_its_user_is_made_harmless() {
    let identity = |json: &str| claims(json).unwrap().into_identity();
    let user = identity(r#"{"sub":"u","exp":1,"name":" A\u0000da\n ","picture":"https://x.org/a.png"}"#)
        .unwrap()
        .user;
    assert_eq!(user.name.as_deref(), Some("Ada"));
    assert_eq!(user.avatar_url.as_deref(), Some("https://x.org/a.png"));
    let user = identity(r#"{"sub":"u","exp":1,"name":" ","picture":"javascript:alert(1)"}"#)
        .unwrap()
        .user;
    assert_eq!((user.name, user.avatar_url), (None, None));
    let long = format!(r#"{{"sub":"{}","exp":1}}"#, "x".repeat(65));
    for bad in [
        long.as_str(),
        r#"{"sub":"","exp":1}"#,
        r#"{"sub":"a\u0000b","exp":1}"#,
    ] {
        assert_eq!(identity(bad).unwrap_err().code().as_str(), "token_invalid");
    }
}
