//! Comma-separated values (RFC 4180) that a spreadsheet opens without running anything.

/// A line with its end. A value that a spreadsheet would take for a formula gets an apostrophe before it:
/// values come from outside.
pub fn line(values: &[&str]) -> String {
    let mut line = String::new();
    for (at, value) in values.iter().enumerate() {
        if at > 0 {
            line.push(',');
        }
        let is_formula = value.starts_with(['=', '+', '-', '@', '\t', '\r']) && value.parse::<f64>().is_err();
        if is_formula || value.contains([',', '"', '\n', '\r']) {
            line.push('"');
            if is_formula {
                line.push('\'');
            }
            line.push_str(&value.replace('"', "\"\""));
            line.push('"');
        } else {
            line.push_str(value);
        }
    }
    line.push_str("\r\n");
    line
}

#[cfg(test)]
mod tests {
    use super::line;

    #[test]
    fn values_stay_apart_and_run_nothing() {
        assert_eq!(line(&["00228874", "a,b", "say \"x\"", ""]), "00228874,\"a,b\",\"say \"\"x\"\"\",\r\n");
        assert_eq!(line(&["=HYPERLINK(\"x\")", "-5", "+cmd"]), "\"'=HYPERLINK(\"\"x\"\")\",-5,\"'+cmd\"\r\n");
    }
}
