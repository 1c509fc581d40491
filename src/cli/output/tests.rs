use super::column::Datum;
use super::*;

struct Fruit {
    name: &'static str,
    ripe: bool,
    kinds: Vec<&'static str>,
}

impl Record for Fruit {
    const COLUMNS: &'static [Column<Self>] = &[
        Column::<Self>::new("STATE", 2, "ripe", |fruit, _| fruit.ripe.into())
            .cell(|fruit, _| if fruit.ripe { "ripe" } else { "green" }.to_owned()),
        Column::new("NAME", 1, "name", |fruit, _| fruit.name.into()),
        Column::wide("ALL KINDS", 3, "kinds", |fruit, _| fruit.kinds.iter().copied().collect()),
        Column::field(4, "eaten_at", |_, _| Datum::Nothing),
    ];

    fn tone(&self, _now: Instant) -> Option<Tone> {
        Some(if self.ripe { Tone::Good } else { Tone::Quiet })
    }
}

fn fruits() -> Vec<Fruit> {
    vec![
        Fruit { name: "梨 pear", ripe: true, kinds: vec!["a", "b"] },
        Fruit { name: "=cmd()", ripe: false, kinds: vec![] },
    ]
}

fn printed(format: Format, colour: bool, records: &[Fruit]) -> String {
    let mut out = Vec::new();
    Printer::new(format, colour, true, &mut out).list(records, Instant::default()).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn a_table_is_aligned_by_display_width_and_marks_what_is_empty() {
    assert_eq!(printed(Format::Table, false, &fruits()), "STATE  NAME\nripe   梨 pear\ngreen  =cmd()\n");
    assert_eq!(
        printed(Format::Wide, false, &fruits()),
        "STATE  NAME     ALL KINDS\nripe   梨 pear  a b\ngreen  =cmd()   -\n"
    );
}

#[test]
fn colour_touches_the_heading_and_the_first_cell_only() {
    assert_eq!(
        printed(Format::Table, true, &fruits()),
        "\u{1b}[1mSTATE  NAME\u{1b}[0m\n\u{1b}[32mripe\u{1b}[0m   梨 pear\n\u{1b}[2mgreen\u{1b}[0m  =cmd()\n"
    );
}

#[test]
fn json_is_an_array_of_objects_with_their_members_in_order() {
    assert_eq!(
        printed(Format::Json, false, &fruits()),
        "[\n  {\"name\":\"梨 pear\",\"ripe\":true,\"kinds\":[\"a\",\"b\"],\"eaten_at\":null},\n  \
         {\"name\":\"=cmd()\",\"ripe\":false,\"kinds\":[],\"eaten_at\":null}\n]\n"
    );
    assert_eq!(printed(Format::Json, false, &[]), "[]\n");
}

#[test]
fn pages_of_a_list_join_into_one_document() {
    let mut out = Vec::new();
    let mut printer = Printer::new(Format::Json, false, true, &mut out);
    for fruit in fruits() {
        printer.rows(&[fruit], Instant::default()).unwrap();
    }
    assert_eq!(printer.finish::<Fruit>().unwrap(), 2);
    let parsed: Vec<Value> = serde_json::from_slice(&out).unwrap();
    assert_eq!(parsed.len(), 2);
}

#[test]
fn ndjson_is_one_object_a_line() {
    let text = printed(Format::Ndjson, false, &fruits());
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[1]["name"], "=cmd()");
    assert_eq!(printed(Format::Ndjson, false, &[]), "");
}

#[test]
fn csv_has_a_header_always_and_guards_formulas() {
    assert_eq!(
        printed(Format::Csv, false, &fruits()),
        "name,ripe,kinds,eaten_at\n梨 pear,true,a b,\n'=cmd(),false,,\n"
    );
    assert_eq!(printed(Format::Csv, false, &[]), "name,ripe,kinds,eaten_at\n");
    for formula in [
        "+1",
        "-1",
        "@x",
        "\tx",
        "\rx",
        "\nx",
        "＝1+1",
        "＋1",
        "－1",
        "＠SUM(1)",
        "﹦1",
        "﹢1",
        "﹣1",
        "﹫x",
        "−1",
        " =1",
        "\u{a0}＝1",
    ] {
        assert_eq!(Datum::from(formula).csv(), format!("'{formula}"));
    }
    // Whatever a text is, one apostrophe at its beginning is the guard's.
    for text in ["'=1", "''", "'tis", "a=1", " plain", "=1", "＝1", ""] {
        let field = Datum::from(text).csv();
        assert_eq!(field.strip_prefix('\'').unwrap_or(&field), text);
    }
    assert_eq!(Datum::from(-1_i64).csv(), "-1");
}

#[test]
fn one_record_by_itself_is_an_object_or_a_line_for_each_heading() {
    let mut out = Vec::new();
    Printer::new(Format::Table, false, true, &mut out).one(&fruits()[0], Instant::default()).unwrap();
    assert_eq!(String::from_utf8(out).unwrap(), "State      ripe\nName       梨 pear\nAll kinds  a b\n");
    let mut out = Vec::new();
    Printer::new(Format::Json, false, true, &mut out).one(&fruits()[0], Instant::default()).unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&out).unwrap()["kinds"][1], "b");
}

#[test]
fn a_table_keeps_its_columns_over_the_whole_list() {
    let mut out = Vec::new();
    let mut printer = Printer::new(Format::Table, false, true, &mut out);
    for name in ["fig", "a very long name", "pear"] {
        printer.rows(&[Fruit { name, ripe: true, kinds: vec![] }], Instant::default()).unwrap();
    }
    printer.finish::<Fruit>().unwrap();
    let text = String::from_utf8(out).unwrap();
    assert_eq!(text, "STATE  NAME\nripe   fig\nripe   a very long name\nripe   pear\n");
}

struct Long;

impl Record for Long {
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new("NAME", 1, "name", |_, _| "梨梨梨梨梨梨 and more".into()),
        Column::new("ID", 2, "id", |_, _| "0123456789".into()).whole(),
        Column::new("NOTE", 3, "note", |_, _| "a longer note than there is room for".into()),
    ];
}

#[test]
fn a_table_fits_the_terminal_and_cuts_no_id() {
    let of = |limit, format| {
        let mut out = Vec::new();
        let printer = Printer { limit: Some(limit), ..Printer::new(format, false, true, &mut out) };
        printer.list(&[Long], Instant::default()).unwrap();
        String::from_utf8(out).unwrap()
    };
    for limit in 26..80 {
        let text = of(limit, Format::Table);
        let widest = text.lines().map(unicode_width::UnicodeWidthStr::width).max().unwrap();
        assert!(widest <= limit && text.contains("0123456789"), "{limit}:\n{text}");
    }
    assert_eq!(of(40, Format::Table).lines().nth(1), Some("梨梨梨梨梨梨…  0123456789  a longer not…"));
    assert_eq!(
        of(20, Format::Table).lines().nth(1),
        Some("梨梨…   0123456789"),
        "what there is no room for is left out"
    );
    assert!(of(20, Format::Wide).contains("there is room for"), "a wide table has everything");
}
