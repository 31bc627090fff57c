use std::io::Write;

use super::*;

/// Two frames of ours, one HTTP answer.
const TEXT: &str = "1723161253937085768 {\"stream\":\"a@trade\",\"data\":{}}\n\
    1723161253937085769 {\"lastUpdateId\":5,\"bids\":[],\"asks\":[]}\n\
    1723161253937085770 [1]\n";

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
}

fn write(directory: &tempfile::TempDir, name: &str, bytes: &[u8]) -> PathBuf {
    let path = directory.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

/// All lines as `time kind text`, or the error's text without the directory.
fn read_all(paths: &[PathBuf]) -> Result<Vec<String>, String> {
    let shown = |error: RecordingError| {
        let text = error.to_string();
        paths.iter().fold(text, |text, path| {
            text.replace(
                &path.display().to_string(),
                path.file_name().unwrap().to_str().unwrap(),
            )
        })
    };
    let mut recording = Recording::open(paths).map_err(shown)?;
    let mut lines = Vec::new();
    while let Some(line) = recording.next_line().map_err(shown)? {
        lines.push(format!(
            "{} {:?} {}",
            line.time.0,
            line.kind,
            line.text().unwrap_or("?")
        ));
    }
    Ok(lines)
}

#[test]
fn every_packing_reads_the_same() {
    let directory = tempfile::tempdir().unwrap();
    let expected = vec![
        "1723161253937085768 Frame {\"stream\":\"a@trade\",\"data\":{}}".to_owned(),
        "1723161253937085769 Http { url: \"\" } {\"lastUpdateId\":5,\"bids\":[],\"asks\":[]}"
            .to_owned(),
        "1723161253937085770 Frame [1]".to_owned(),
    ];
    let plain = TEXT.as_bytes();
    let (first, second) = plain.split_at(60);
    let two_members = [gzip(first), gzip(second)].concat();
    let two_frames = [zstd(first), zstd(second)].concat();
    let unended = plain.strip_suffix(b"\n").unwrap();
    let returns = TEXT.replace('\n', "\r\n");
    for (name, bytes) in [
        ("plain", plain.to_vec()),
        ("gz", gzip(plain)),
        ("zst", zstd(plain)),
        ("two.gz", two_members),
        ("two.zst", two_frames),
        ("unended", unended.to_vec()),
        ("returns", returns.into_bytes()),
    ] {
        let path = write(&directory, name, &bytes);
        assert_eq!(read_all(&[path]), Ok(expected.clone()), "{name}");
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table")]
fn errors_name_file_and_line() {
    let directory = tempfile::tempdir().unwrap();
    let many = TEXT.repeat(2_000);
    let (packed, framed) = (gzip(many.as_bytes()), zstd(many.as_bytes()));
    let cut = |bytes: &[u8]| bytes[..bytes.len() - 9].to_vec();
    let mut damaged = packed.clone();
    let middle = damaged.len() - 4;
    damaged[middle] ^= 0x55;
    let rows: Vec<(&str, Vec<u8>, &str)> = vec![
        ("empty", Vec::new(), "empty: not a recording: it is empty"),
        (
            "empty.gz",
            gzip(b""),
            "empty.gz: not a recording: it is empty",
        ),
        (
            "binary",
            vec![0, 1, 2, 3],
            "binary: neither gzip nor zstd nor text",
        ),
        (
            "binary.gz",
            gzip(&[0, 1, 2, 3]),
            "binary.gz: neither gzip nor zstd nor text",
        ),
        (
            "cut.gz",
            cut(&packed),
            "cut.gz: line 6001: the file is cut off here",
        ),
        (
            "head.gz",
            packed[..12].to_vec(),
            "head.gz: line 1: the file is cut off here",
        ),
        ("cut.zst", cut(&framed), "the file is cut off here"),
        (
            "damaged.gz",
            damaged,
            "damaged.gz: line 6001: the compressed data is damaged",
        ),
        (
            "cut",
            b"1723161253937085768 {\"a\":".to_vec(),
            "cut: line 1: the file is cut off here",
        ),
        (
            "prose",
            b"Dear reader\n".to_vec(),
            "prose: line 1: not a recording: time was 'Dear', not a number",
        ),
        (
            "json",
            b"{\"a\": 1}\n".to_vec(),
            "json: line 1: not a recording: expected",
        ),
        (
            "bom",
            b"\xEF\xBB\xBF1 {}\n".to_vec(),
            "bom: line 1: not a recording: time was",
        ),
        (
            "time",
            b"1 {}\n12x4 {}\n".to_vec(),
            "time: line 2: not a recording: time was '12x4', not a number",
        ),
        (
            "minus",
            b"-5 {}\n".to_vec(),
            "minus: line 1: not a recording: time was '-5', not a number",
        ),
        (
            "number",
            b"17\n".to_vec(),
            "number: line 1: not a recording: expected",
        ),
        (
            "late",
            b"99999999999999999999 {}\n".to_vec(),
            "late: line 1: not a recording: time was",
        ),
        (
            "arrow",
            b"wss://a.b/c => 1.5\n".to_vec(),
            "arrow: line 1: not a recording: expected",
        ),
    ];
    for (name, bytes, expected) in rows {
        let path = write(&directory, name, &bytes);
        let error = read_all(&[path]).unwrap_err();
        assert!(error.contains(expected), "{name}: {error}");
    }
    let missing = read_all(&[directory.path().join("missing")]).unwrap_err();
    assert!(
        missing.starts_with("missing: cannot be opened"),
        "{missing}"
    );
}

#[test]
fn files_are_merged_by_time() {
    let directory = tempfile::tempdir().unwrap();
    let socket = "wss://h/stream?streams=a@depth <-> 10.5\n\
        11.25: {\"n\":1}\n\
        wss://h/stream <- 11.5: {\"n\":2}\n\
        12.0633569: {\"n\":3}\n";
    let http = "https://h/depth?symbol=A&limit=1000 -> 12.0: {\"lastUpdateId\":1}\n\
        configuration: {\"c\":1}\n";
    let paths = [
        write(&directory, "socket", socket.as_bytes()),
        write(&directory, "http", http.as_bytes()),
    ];
    assert_eq!(
        read_all(&paths).unwrap(),
        vec![
            "10500000000 Opened { url: \"wss://h/stream?streams=a@depth\" } ",
            "11250000000 Frame {\"n\":1}",
            "11500000000 Sent { url: \"wss://h/stream\" } {\"n\":2}",
            "12000000000 Http { url: \"https://h/depth?symbol=A&limit=1000\" } {\"lastUpdateId\":1}",
            "12000000000 Configuration {\"c\":1}",
            "12063356900 Frame {\"n\":3}",
        ]
    );
    let later = write(
        &directory,
        "later",
        b"7 {\"m\":1}\n5 {\"m\":2}\n9 {\"m\":3}\n",
    );
    let earlier = write(&directory, "earlier", b"7 {\"e\":1}\n8 {\"e\":2}\n");
    let merged = read_all(&[later, earlier]).unwrap();
    let texts: Vec<&str> = merged
        .iter()
        .filter_map(|line| line.rsplit(' ').next())
        .collect();
    assert_eq!(
        texts,
        [
            "{\"m\":1}",
            "{\"m\":2}",
            "{\"e\":1}",
            "{\"e\":2}",
            "{\"m\":3}"
        ]
    );
}

#[test]
fn an_endless_line_is_cut_not_kept() {
    let directory = tempfile::tempdir().unwrap();
    let mut bytes = b"1 ".to_vec();
    bytes.resize(LINE_BYTES_MAX + 100_000, b'[');
    bytes.extend_from_slice(b"\n2 {}\n");
    let path = write(&directory, "long.gz", &gzip(&bytes));
    let mut recording = Recording::open(&[path]).unwrap();
    let first = recording.next_line().unwrap().unwrap();
    assert!(first.is_cut && first.bytes.len() < LINE_BYTES_MAX);
    let second = recording.next_line().unwrap().unwrap();
    assert!(!second.is_cut && second.bytes == b"{}");
    assert!(recording.next_line().unwrap().is_none());
}
