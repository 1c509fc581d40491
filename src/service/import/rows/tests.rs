use super::*;

fn lines(text: &str) -> Vec<(usize, String)> {
    let table = table_of(text.as_bytes()).unwrap();
    let row =
        |row: &Row| (row.line, row.fields.get("name").and_then(Value::as_str).unwrap_or_default().to_owned());
    table.rows.iter().map(row).collect()
}

#[test]
fn kr_15_every_form_of_a_table_tells_its_lines() {
    let expected = [(2, "a".to_owned()), (3, "b".to_owned())];
    assert_eq!(lines("id,name\n1,a\n2,b\n"), expected);
    assert_eq!(lines("\u{feff}id;name\r\n1;a\r\n2;b\r\n"), expected);
    assert_eq!(lines("[\n {\"name\":\"a\"},\n {\"name\":\"b\"}\n]"), expected);
    assert_eq!(lines("\n{\"name\":\"a\"}\n{\"name\":\"b\"}\n"), expected);
    assert_eq!(lines("{\"keys\":\n[{\"name\":\"a\"},\n{\"name\":\"b\"}]}"), expected);
    let django = "[\n {\"model\":\"x\",\"pk\":\"1\",\"fields\":{\"name\":\"a\"}},\n {\"model\":\"x\",\"fields\":{\"name\":\"b\"}}]";
    assert_eq!(lines(django), expected);
    let quoted = "id,name\n1,\"a\nb\"\n2,c\n";
    assert_eq!(lines(quoted), [(2, "a\nb".to_owned()), (4, "c".to_owned())]);
}

#[test]
fn kr_15_a_line_that_is_no_row_is_told() {
    let of = |text: &str| {
        table_of(text.as_bytes()).unwrap().refused.iter().map(|one| one.line).collect::<Vec<_>>()
    };
    assert_eq!(of("id,name\n1,a\n2\n3,c\n"), [3]);
    assert_eq!(of("{\"name\":\"a\"}\nnonsense\n{\"name\":\"b\"}\n"), [2]);
    assert!(table_of(b"").is_err() && table_of(b"[{]").is_err() && table_of(b"a\n\xff").is_err());
}
