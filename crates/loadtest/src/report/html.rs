//! The report as one self-contained HTML page: styles and charts are inline, and it loads nothing.

use std::fmt::{Display, Formatter, Write as _};

use super::{Bar, Figures, Latency, Outcome, Report};
use crate::statistics::{Operation, Second};

const STYLE: &str = "
:root{color-scheme:light dark;--ink:#1b1f24;--dim:#667;--line:#d5d8dd;--paper:#fff;--a:#2468c8;--b:#c8542a;--ok:#1a7f4b;--no:#c22}
@media(prefers-color-scheme:dark){:root{--ink:#e6e8eb;--dim:#99a;--line:#3a3f46;--paper:#16181b;--a:#6ea8ff;--b:#ff9a6b;--ok:#4cc38a;--no:#ff6b6b}}
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:60rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2.2rem}table{border-collapse:collapse;width:100%}
th,td{text-align:right;padding:.25rem .5rem;border-bottom:1px solid var(--line);font-variant-numeric:tabular-nums}
th:first-child,td:first-child{text-align:left}tr.corrected{color:var(--dim)}
.verdict{font-weight:600}.clean{color:var(--ok)}.violated,.nothing{color:var(--no)}
pre{overflow:auto;padding:.75rem;border:1px solid var(--line);font-size:12px}
svg{width:100%;height:auto}svg text{fill:var(--dim);font-size:11px}.axis{stroke:var(--line)}
.bar{fill:var(--a)}.p50{stroke:var(--a);fill:none;stroke-width:2}.p99{stroke:var(--b);fill:none;stroke-width:2}
.key{color:var(--dim)}.key b:first-child{color:var(--a)}.key b:last-child{color:var(--b)}";

/// The size of a chart, and the margins of its axes.
const WIDTH: f64 = 880.0;
const HEIGHT: f64 = 200.0;
const LEFT: f64 = 60.0;
const BOTTOM: f64 = 24.0;
const TOP: f64 = 10.0;

/// The page.
#[must_use]
pub fn page(report: &Report) -> String {
    let mut out = String::with_capacity(64 * 1024);
    // Writing into a string cannot fail.
    let _ = write(report, &mut out);
    out
}

fn write(report: &Report, out: &mut String) -> std::fmt::Result {
    let scenario = report.scenario.as_str();
    write!(
        out,
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>Load test: {scenario}</title>\
         <style>{STYLE}</style></head><body><h1>Load test: {scenario}</h1>"
    )?;
    let (class, verdict) = match report.outcome {
        Outcome::Clean => ("clean", "Clean: no promise was broken.".to_owned()),
        Outcome::Violated => ("violated", format!("Violated: {} findings.", report.checked.broken)),
        Outcome::Nothing => ("nothing", "Nothing was done, so nothing is proved.".to_owned()),
        Outcome::Unchecked => {
            let why = report.unchecked.as_deref().unwrap_or_default();
            ("nothing", format!("Not checked, so nothing is proved: {}", Text(why)))
        }
    };
    write!(out, "<p class=\"verdict {class}\">{verdict}</p>")?;
    let pace = report.rate.map_or_else(|| "closed loop".to_owned(), |rate| format!("{rate} arrivals a second"));
    write!(
        out,
        "<p>{}: {}, {pace}, {:.1} s measured after {:.1} s of warm-up, seed {}, switchboard {}.</p>",
        Text(&report.url),
        report.people(),
        report.measured_seconds,
        report.warm_up_seconds,
        report.seed,
        report.version
    )?;
    for remark in report.remarks() {
        write!(out, "<p>{}</p>", Text(&remark))?;
    }
    figures(report, out)?;
    for (operation, figures) in &report.operations {
        charts(*operation, figures, out)?;
    }
    counts_and_verdict(report, out)?;
    out.push_str("</body></html>\n");
    Ok(())
}

fn figures(report: &Report, out: &mut String) -> std::fmt::Result {
    out.push_str(
        "<table><tr><th></th><th>count</th><th>per second</th><th>p50 ms</th><th>p90</th><th>p99</th><th>p99.9</th>\
         <th>max</th></tr>",
    );
    let cells = |out: &mut String, latency: &Latency| {
        [latency.p50, latency.p90, latency.p99, latency.p999, latency.max]
            .into_iter()
            .try_for_each(|value| write!(out, "<td>{value:.2}</td>"))
    };
    for (operation, figures) in &report.operations {
        write!(out, "<tr><td>{}</td><td>{}</td><td>{:.1}</td>", operation.title(), figures.count, figures.per_second)?;
        cells(out, &figures.latency_ms)?;
        out.push_str("</tr>");
        if let Some(corrected) = &figures.corrected_ms {
            out.push_str("<tr class=\"corrected\"><td>corrected</td><td></td><td></td>");
            cells(out, corrected)?;
            out.push_str("</tr>");
        }
    }
    out.push_str("</table>");
    Ok(())
}

fn charts(operation: Operation, figures: &Figures, out: &mut String) -> std::fmt::Result {
    write!(out, "<h2>{}</h2><p class=\"key\">Distribution of latencies, in milliseconds</p>", operation.title())?;
    histogram(&figures.histogram, out)?;
    if figures.seconds.len() > 1 {
        out.push_str("<p class=\"key\">Operations a second</p>");
        let rates: Vec<(u64, f64)> =
            figures.seconds.iter().map(|second| (second.second, second.count as f64)).collect();
        lines(&[("p50", rates)], out)?;
        out.push_str("<p class=\"key\">Latency over time, in milliseconds: <b>p50</b> and <b>p99</b></p>");
        let of = |value: fn(&Second) -> f64| -> Vec<(u64, f64)> {
            figures.seconds.iter().map(|second| (second.second, value(second))).collect()
        };
        lines(&[("p50", of(|second| second.p50_ms)), ("p99", of(|second| second.p99_ms))], out)?;
    }
    Ok(())
}

fn histogram(bars: &[Bar], out: &mut String) -> std::fmt::Result {
    let most = bars.iter().map(|bar| bar.count).max().unwrap_or(0).max(1) as f64;
    let wide = (WIDTH - LEFT) / bars.len().max(1) as f64;
    open(most, out)?;
    let mut x = LEFT;
    for (number, bar) in bars.iter().enumerate() {
        let high = (HEIGHT - BOTTOM - TOP) * bar.count as f64 / most;
        let y = HEIGHT - BOTTOM - high;
        write!(
            out,
            "<rect class=\"bar\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{high:.1}\"><title>{} to {} ms: {}</title></rect>",
            (wide - 1.0).max(0.5),
            Short(bar.from_ms),
            Short(bar.to_ms),
            bar.count
        )?;
        if number % 2 == 0 {
            write!(out, "<text x=\"{x:.1}\" y=\"{:.1}\">{}</text>", HEIGHT - 8.0, Short(bar.from_ms))?;
        }
        x += wide;
    }
    out.push_str("</svg>");
    Ok(())
}

fn lines(curves: &[(&str, Vec<(u64, f64)>)], out: &mut String) -> std::fmt::Result {
    let points = || curves.iter().flat_map(|(_, points)| points);
    let most = points().map(|(_, value)| *value).fold(0.0, f64::max).max(0.001);
    let last = points().map(|(second, _)| *second).max().unwrap_or(0).max(1) as f64;
    open(most, out)?;
    for (class, points) in curves {
        write!(out, "<polyline class=\"{class}\" points=\"")?;
        for (second, value) in points {
            let x = LEFT + (WIDTH - LEFT - 10.0) * *second as f64 / last;
            let y = HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * value / most;
            write!(out, "{x:.1},{y:.1} ")?;
        }
        out.push_str("\"/>");
    }
    write!(out, "<text x=\"{LEFT}\" y=\"{:.1}\">0 s</text>", HEIGHT - 8.0)?;
    write!(out, "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{last} s</text></svg>", WIDTH - 10.0, HEIGHT - 8.0)
}

/// The beginning of a chart: its axes, and the value at the top.
fn open(most: f64, out: &mut String) -> std::fmt::Result {
    let base = HEIGHT - BOTTOM;
    write!(
        out,
        "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\">\
         <line class=\"axis\" x1=\"{LEFT}\" y1=\"{base}\" x2=\"{WIDTH}\" y2=\"{base}\"/>\
         <line class=\"axis\" x1=\"{LEFT}\" y1=\"{TOP}\" x2=\"{LEFT}\" y2=\"{base}\"/>\
         <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
        LEFT - 6.0,
        TOP + 8.0,
        Short(most)
    )
}

fn counts_and_verdict(report: &Report, out: &mut String) -> std::fmt::Result {
    if !report.errors.is_empty() || !report.counts.is_empty() {
        out.push_str("<h2>Counts and errors</h2><table>");
        for (what, count) in &report.counts {
            write!(out, "<tr><td>{}</td><td>{count}</td></tr>", Text(what))?;
        }
        for (what, count) in &report.errors {
            write!(out, "<tr><td>error: {}</td><td>{count}</td></tr>", Text(what))?;
        }
        out.push_str("</table>");
    }
    let checked = &report.checked;
    write!(
        out,
        "<h2>Checked</h2><p>{} conversations, {} calls, {} messages shown to listeners, {} read back.</p>",
        checked.conversations, checked.calls, checked.shown, checked.stored
    )?;
    for violation in &checked.violations {
        write!(out, "<h3>{}</h3><pre>{}</pre>", violation.promise.title(), Text(&violation.to_string()))?;
    }
    Ok(())
}

/// Text with its markup escaped.
struct Text<'a>(&'a str);

impl Display for Text<'_> {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> std::fmt::Result {
        for character in self.0.chars() {
            match character {
                '<' => formatter.write_str("&lt;")?,
                '>' => formatter.write_str("&gt;")?,
                '&' => formatter.write_str("&amp;")?,
                '"' => formatter.write_str("&quot;")?,
                other => formatter.write_char(other)?,
            }
        }
        Ok(())
    }
}

/// A number with one decimal if it is below 10, otherwise with none.
struct Short(f64);

impl Display for Short {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            value if value >= 10.0 => write!(formatter, "{value:.0}"),
            value => write!(formatter, "{value:.1}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::report::tests::example;

    #[test]
    fn the_page_loads_nothing() {
        let page = super::page(&example(None));
        // The server's own address is shown as text.
        let page = page.replace("http://localhost:1500", "");
        for outside in ["http:", "https:", "//", "src=", "href=", "@import", "url("] {
            assert!(!page.contains(outside), "{outside}");
        }
    }

    #[test]
    fn text_of_others_is_escaped() {
        let page = super::page(&example(None));
        assert!(!page.contains("<script>") && !page.contains("<b>\"") && page.contains("&lt;script&gt;"));
    }

    #[test]
    fn every_number_in_the_charts_is_finite() {
        for page in [super::page(&example(None)), super::page(&example(Some(100.0)))] {
            assert!(page.contains("<polyline") && page.contains("<rect"));
            assert!(!page.contains("NaN") && !page.contains("inf"));
            let attributes = ["x=\"", "y=\"", "width=\"", "height=\"", "points=\""];
            for value in attributes.iter().flat_map(|attribute| page.split(attribute).skip(1)) {
                let value = value.split('"').next().unwrap();
                for number in value.split([' ', ',']).filter(|number| !number.is_empty()) {
                    assert!(value == "device-width" || number.parse::<f64>().is_ok_and(f64::is_finite), "{value}");
                }
            }
        }
    }
}
