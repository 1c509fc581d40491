use std::io::ErrorKind;

use super::*;

/// A reader that takes what it gets, or nothing until somebody lets it, or is gone.
#[derive(Clone, Default)]
struct Reader(Arc<(Mutex<Inner>, Condvar)>);

#[derive(Default)]
struct Inner {
    text: Vec<u8>,
    stuck: bool,
    gone: bool,
    /// How long it takes for a piece.
    slow: Duration,
}

impl Reader {
    fn set(&self, change: impl FnOnce(&mut Inner)) {
        change(&mut self.0.0.lock());
        self.0.1.notify_all();
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.0.lock().text.clone()).unwrap()
    }
}

impl Write for Reader {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        let mut inner = self.0.0.lock();
        self.0.1.wait_while(&mut inner, |inner| inner.stuck);
        std::thread::sleep(inner.slow);
        if inner.gone {
            return Err(ErrorKind::BrokenPipe.into());
        }
        inner.text.extend_from_slice(piece);
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

const LONG: Duration = Duration::from_secs(5);

fn queue(room: usize, reader: &Reader) -> Arc<Queue> {
    let tell = |queue: &Queue, missing| queue.push(format!("{missing} missing\n").as_bytes());
    Queue::begin(room, reader.clone(), tell).unwrap()
}

/// What was told to be missing, and how many other lines there are.
fn count(text: &str) -> (Vec<u64>, u64) {
    let told: Vec<u64> =
        text.lines().filter_map(|line| line.strip_suffix(" missing")?.parse().ok()).collect();
    let others = text.lines().count() - told.len();
    (told, others as u64)
}

#[test]
fn lines_arrive_whole_and_in_their_order() {
    let reader = Reader::default();
    let queue = queue(1 << 20, &reader);
    let long = "x".repeat(3 * PIECE);
    let lines: Vec<String> = (0..2_000)
        .map(|n| if n % 500 == 7 { format!("{n} {long}\n") } else { format!("line {n}\n") })
        .collect();
    lines.iter().for_each(|line| queue.push(line.as_bytes()));
    assert!(queue.finish(LONG));
    assert_eq!(reader.text(), lines.concat());
    assert_eq!(queue.lost(), 0);
}

#[test]
fn a_reader_that_is_stuck_holds_nobody_up_and_is_told_once_what_is_missing() {
    let reader = Reader::default();
    reader.set(|inner| inner.stuck = true);
    let queue = queue(10_000, &reader);
    let begun = Instant::now();
    for n in 0..50_000 {
        queue.push(format!("{n:9}\n").as_bytes());
    }
    assert!(begun.elapsed() < LONG);
    assert_eq!(queue.lost(), 49_000);
    assert!(!queue.finish(Duration::from_millis(20)), "nothing of it is written yet");
    reader.set(|inner| inner.stuck = false);
    assert!(queue.finish(LONG));
    assert_eq!(count(&reader.text()), (vec![49_000], 1_000));
    assert!(reader.text().ends_with("      999\n49000 missing\n"), "it is told where they are missing");
    queue.push(b"as ever\n");
    assert!(queue.finish(LONG));
    assert!(reader.text().ends_with("missing\nas ever\n"));
}

#[test]
fn nothing_is_lost_without_being_counted_however_the_reader_gets_on() {
    let reader = Reader::default();
    reader.set(|inner| inner.slow = Duration::from_micros(200));
    let queue = queue(20_000, &reader);
    let writers: Vec<_> = (0..4)
        .map(|writer| {
            let queue = Arc::clone(&queue);
            std::thread::spawn(move || {
                for n in 0..20_000 {
                    queue.push(format!("{writer} {n:9} {}\n", "x".repeat(n % 50)).as_bytes());
                }
            })
        })
        .collect();
    writers.into_iter().for_each(|writer| writer.join().unwrap());
    assert!(queue.finish(LONG));
    let (told, others) = count(&reader.text());
    assert!(!told.is_empty());
    assert_eq!(told.iter().sum::<u64>() + others, 80_000);
    assert_eq!(told.iter().sum::<u64>(), queue.lost());
}

#[test]
fn the_end_waits_as_long_as_the_reader_gets_on() {
    let reader = Reader::default();
    reader.set(|inner| inner.slow = Duration::from_millis(40));
    let queue = queue(1 << 20, &reader);
    let line = [b"x".repeat(PIECE - 1), b"\n".to_vec()].concat();
    (0..10).for_each(|_| queue.push(&line));
    assert!(queue.finish(Duration::from_millis(200)), "400 ms in all, and 40 ms for each");
    assert_eq!(reader.text().len(), 10 * PIECE);
}

#[test]
fn a_reader_that_is_gone_is_no_trouble_and_one_that_is_back_is_told() {
    let reader = Reader::default();
    reader.set(|inner| inner.gone = true);
    let queue = queue(10_000, &reader);
    for _ in 0..3 {
        queue.push(b"nobody reads this\n");
        assert!(queue.finish(LONG));
    }
    assert_eq!((queue.lost(), reader.text().as_str()), (3, ""));
    reader.set(|inner| inner.gone = false);
    queue.push(b"one\n");
    assert!(queue.finish(LONG));
    assert_eq!(reader.text(), "one\n3 missing\n");
}
