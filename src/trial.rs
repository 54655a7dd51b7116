//! Places where a trial may kill the service, and wrongs that it may do to it, to see that nothing is lost and that
//! the trial would notice.
//!
//! Only debug builds, which tests run, have them: in a release build both functions are empty, whatever is set. So
//! the tests try the very program that is built with optimisation later, and no build for tests alone is needed.

use std::io::BufRead;
use std::sync::{Mutex, PoisonError};

/// What a trial asks for.
#[derive(Debug, Default)]
pub struct Trial {
    points: Vec<Point>,
    faults: Vec<String>,
    listens: bool,
}

#[derive(Debug)]
#[cfg_attr(not(debug_assertions), expect(dead_code, reason = "release builds do not try"))]
struct Point {
    name: String,
    is_deadly: bool,
    passes_left: u64,
}

static TRIAL: Mutex<Trial> = Mutex::new(Trial { points: Vec::new(), faults: Vec::new(), listens: false });

impl Trial {
    /// Reads `die:POINT:N`, `hold:POINT:N` and `fault:NAME`, separated by commas: at the N-th pass of a point the
    /// process is killed, or says so on standard output and holds still, so that others can be killed meanwhile.
    /// With `listen`, lines of standard input replace the points, and its end is the end.
    ///
    /// # Errors
    /// Where it is none of these.
    pub fn read(text: &str) -> Result<Self, String> {
        let mut trial = Self::default();
        for part in text.split(',').filter(|part| !part.is_empty()) {
            let words: Vec<&str> = part.split(':').collect();
            match *words.as_slice() {
                ["listen"] => trial.listens = true,
                ["fault", name] => trial.faults.push(name.to_owned()),
                [kind @ ("die" | "hold"), name, passes] => {
                    let passes_left = passes.parse().map_err(|_| format!("“{part}” has no number of passes"))?;
                    trial.points.push(Point { name: name.to_owned(), is_deadly: kind == "die", passes_left });
                }
                _ => return Err(format!("“{part}” is no trial")),
            }
        }
        Ok(trial)
    }
}

/// Sets what is to be tried, and listens for more where that is asked for.
pub fn arm(trial: Trial) {
    let listens = trial.listens;
    *TRIAL.lock().unwrap_or_else(PoisonError::into_inner) = trial;
    if listens {
        std::thread::spawn(|| {
            for line in std::io::stdin().lock().lines().map_while(Result::ok) {
                if let Ok(next) = Trial::read(&line) {
                    TRIAL.lock().unwrap_or_else(PoisonError::into_inner).points = next.points;
                }
            }
            // Whoever tries it is gone.
            std::process::exit(1);
        });
    }
}

/// The service passes this point.
#[cfg(debug_assertions)]
pub fn point(name: &str) {
    use std::io::Write;

    const HOLD: std::time::Duration = std::time::Duration::from_millis(300);
    let mut trial = TRIAL.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(point) = trial.points.iter_mut().find(|point| point.name == name && point.passes_left > 0) else {
        return;
    };
    point.passes_left -= 1;
    if point.passes_left > 0 {
        return;
    }
    if point.is_deadly {
        let _ = nix::sys::signal::kill(nix::unistd::getpid(), nix::sys::signal::Signal::SIGKILL);
    }
    drop(trial);
    let _ = writeln!(std::io::stdout(), "trial: held at {name}");
    std::thread::sleep(HOLD);
}

/// Whether the service is to do this wrong.
#[cfg(debug_assertions)]
pub fn fault(name: &str) -> bool {
    let trial = TRIAL.lock().unwrap_or_else(PoisonError::into_inner);
    trial.faults.iter().any(|fault| fault == name)
}

#[cfg(not(debug_assertions))]
#[inline]
pub fn point(_: &str) {}

#[cfg(not(debug_assertions))]
#[inline]
pub fn fault(_: &str) -> bool {
    false
}
