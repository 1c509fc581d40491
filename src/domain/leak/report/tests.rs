use super::*;

const GITLEAKS: &str = r#"[
 {"RuleID":"generic-api-key","Description":"x","StartLine":12,"EndLine":12,"StartColumn":5,"EndColumn":80,
  "Match":"key = \"vg_pat_0\"","Secret":"vg_pat_0","File":"src/config.py","SymlinkFile":"","Commit":"0a1b2c",
  "Entropy":4.5,"Author":"Ada","Email":"ada@x.example","Date":"2026-11-01T00:00:00Z","Message":"m","Tags":[],
  "Fingerprint":"0a1b2c:src/config.py:generic-api-key:12"},
 {"RuleID":"github-pat","StartLine":3,"StartColumn":1,"Match":"REDACTED","Secret":"REDACTED","File":"a b/ü.env","Commit":""},
 {"RuleID":"half","StartLine":4,"Match":"k=vg_pat_12...","Secret":"vg_pat_12...","File":"h"}
]"#;

const TRUFFLEHOG: &str = r#"{"SourceMetadata":{"Data":{"Git":{"commit":"c0ffee","file":"deploy.sh","email":"a@b","repository":"https://x.example/r","timestamp":"t","line":7}}},"SourceID":1,"DetectorType":17,"DetectorName":"URI","Verified":false,"Raw":"vg_pat_0","RawV2":"","Redacted":"","ExtraData":null}
{"SourceMetadata":{"Data":{"Filesystem":{"file":"/srv/log","line":9}}},"DetectorName":"AWS","Raw":"","Redacted":"AKIA************CDEF"}
{"SourceMetadata":{"Data":{"S3":{"bucket":"b","file":"k","link":"https://s3"}}},"DetectorName":"Github","Raw":"ghp_1"}
"#;

const GITHUB: &str = r#"[{"number":42,"html_url":"https://github.example/o/r/security/secret-scanning/42","state":"open",
 "secret_type":"voicegram_token","secret_type_display_name":"VoiceGram Token","secret":"vg_pat_0",
 "first_location_detected":{"path":"app/x.rb","start_line":17,"end_line":17,"start_column":3,"commit_sha":"beef"}},
 {"number":43,"html_url":"https://github.example/o/r/security/secret-scanning/43","secret_type":"t","secret":null}]"#;

const SARIF: &str = r#"{"$schema":"https://json.schemastore.org/sarif-2.1.0.json","version":"2.1.0","runs":[{"tool":{"driver":{
 "name":"gitleaks","rules":[{"id":"generic-api-key"}]}},"results":[{"message":{"text":"found"},"ruleId":"generic-api-key",
 "locations":[{"physicalLocation":{"artifactLocation":{"uri":"a/b.yml"},"region":{"startLine":5,"startColumn":2,"endLine":5,
 "snippet":{"text":"vg_pat_0"}}}}],"partialFingerprints":{"commitSha":"dead","author":"A"}},
 {"ruleId":"r","locations":[{"physicalLocation":{"artifactLocation":{"uri":"c"},"region":{"startLine":6}}}],
 "partialFingerprints":{"secretHash/v1":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}}]}]}"#;

/// Each finding's place, detector, and whether the secret was taken out.
fn told(text: &str, form: Form) -> Vec<(String, Option<usize>, String, String, bool)> {
    assert!(may_be(text.as_bytes(), form));
    let items = read(text.as_bytes(), form).unwrap();
    let words = |text: Option<&SafeText>| text.map(ToString::to_string).unwrap_or_default();
    let told = items.iter().map(|item| {
        let place = item.place.as_ref().unwrap();
        let commit = words(place.commit.as_ref());
        (place.source.to_string(), place.line, commit, words(item.detector.as_ref()), item.remains.is_some())
    });
    told.collect()
}

fn row(
    source: &str,
    line: usize,
    commit: &str,
    detector: &str,
    redacted: bool,
) -> (String, Option<usize>, String, String, bool) {
    (source.into(), (line > 0).then_some(line), commit.into(), detector.into(), redacted)
}

#[test]
fn gitleaks_names_file_line_commit_and_rule() {
    let rows = [
        row("src/config.py", 12, "0a1b2c", "generic-api-key", false),
        row("a b/ü.env", 3, "", "github-pat", true),
        row("h", 4, "", "half", true),
    ];
    assert_eq!(told(GITLEAKS, Form::Auto), rows);
    assert_eq!(told(&format!("\u{feff}{GITLEAKS}"), Form::Gitleaks), rows);
}

#[test]
fn trufflehog_names_the_place_of_each_source() {
    let rows = [
        row("deploy.sh", 7, "c0ffee", "URI", false),
        row("/srv/log", 9, "", "AWS", true),
        row("k", 0, "", "Github", false),
    ];
    assert_eq!(told(TRUFFLEHOG, Form::Auto), rows);
    let items = read(TRUFFLEHOG.as_bytes(), Form::Trufflehog).unwrap();
    assert_eq!(items[1].remains.as_ref().unwrap().tail.as_deref(), Some("CDEF"));
}

#[test]
fn github_alerts_name_the_first_location_or_the_alert() {
    let rows = [
        row("app/x.rb", 17, "beef", "VoiceGram Token", false),
        row("https://github.example/o/r/security/secret-scanning/43", 0, "", "t", true),
    ];
    assert_eq!(told(GITHUB, Form::Auto), rows);
}

#[test]
fn sarif_names_the_region_and_fingerprints_are_read() {
    let rows = [row("a/b.yml", 5, "dead", "generic-api-key", false), row("c", 6, "", "r", true)];
    assert_eq!(told(SARIF, Form::Sarif), rows);
    let items = read(SARIF.as_bytes(), Form::Auto).unwrap();
    assert_eq!(items[1].remains.as_ref().unwrap().hashes, [HashedKey::of(b"")]);
}

#[test]
fn what_is_no_report_is_none() {
    for text in [
        "",
        "[",
        "{}",
        "[1,2]",
        "{\"runs\":1}",
        "{\"a\":1}\n{\"b\":2}\n",
        "plain",
        "[{\"RuleID\":\"x\"",
        "[]",
    ] {
        assert!(read(text.as_bytes(), Form::Auto).is_none(), "{text}");
    }
    assert!(!may_be(b"{\"level\":\"info\"}", Form::Auto));
    assert!(read(b"[]", Form::Gitleaks).is_some_and(|items| items.is_empty()));
}

#[test]
fn what_is_no_finding_is_told_with_its_place_in_the_report() {
    let text =
        "{\"level\":\"info\"}\n{\"SourceMetadata\":{\"Data\":{}},\"DetectorName\":\"X\",\"Raw\":\"y\"}";
    let items = read(text.as_bytes(), Form::Auto).unwrap();
    assert_eq!((items[0].at, items[0].place.is_some()), (0, false));
    assert_eq!((items[1].at, items[1].place.is_some()), (17, true));
}

#[test]
fn masked_secrets_are_told_from_whole_ones() {
    for masked in ["", "null", "REDACTED", "vg_pat_12...", "****abcd", "gw_••••••••abcd", "abc…"]
    {
        assert!(is_masked(masked), "{masked}");
    }
    for whole in ["vg_pat_0", "a.b.c", "x*y", "a..b"] {
        assert!(!is_masked(whole), "{whole}");
    }
    for (text, wanted) in
        [("****abcd", Some("abcd")), ("gw_••••12ab", Some("12ab")), ("x…", None), ("AKIA...", None)]
    {
        assert_eq!(tail(text).as_deref(), wanted, "{text}");
    }
}
