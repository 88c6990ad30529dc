//! Texts of findings in the languages a host brings.

use serde_json::{Map, Value};

use super::Finding;

/// Texts of a host in other languages; English is built in.
///
/// Code, pointer and fix never depend on the language.
pub trait MessageCatalog {
    /// The text of a code in the first of the locales the catalogue knows, or `None` for English.
    ///
    /// `args` has `pointer`, `name` (the last token of the pointer), `message` (the English text), `hint`, and the
    /// arguments that the code declares, such as `limit` and `actual` of `minimum`; see
    /// [`Code::arguments`](crate::codes::Code::arguments). An argument whose declared name ends with `?` may be
    /// missing, and all of them are where the finding was read back from JSON or made by the host without them.
    fn message(&self, code: &str, args: &Map<String, Value>, locales: &[String]) -> Option<String>;
}

/// Replaces the messages the catalogue has a text for.
pub fn localise(findings: &mut [Finding], catalogue: &dyn MessageCatalog, locales: &[String]) {
    for finding in findings {
        let mut args = Map::new();
        args.insert("pointer".into(), finding.pointer.clone().into());
        let name = finding.pointer.rsplit('/').next().unwrap_or_default();
        args.insert(
            "name".into(),
            name.replace("~1", "/").replace("~0", "~").into(),
        );
        args.insert("message".into(), finding.message.clone().into());
        if let Some(hint) = &finding.hint {
            args.insert("hint".into(), hint.clone().into());
        }
        for (argument, value) in finding.arguments.iter() {
            args.insert(argument.into(), value.clone());
        }
        if let Some(text) = catalogue.message(&finding.code, &args, locales) {
            finding.message = text;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct French;

    impl MessageCatalog for French {
        fn message(
            &self,
            code: &str,
            args: &Map<String, Value>,
            locales: &[String],
        ) -> Option<String> {
            if locales.first()? != "fr" {
                return None;
            }
            match code {
                "required" => Some(format!("il manque `{}`", args["name"].as_str()?)),
                "type" => Some("mauvais type".into()),
                _ => None,
            }
        }
    }

    fn findings() -> Vec<Finding> {
        vec![
            Finding::error("required", "/steps/0/stepId", "`stepId` is missing"),
            Finding::error("type", "/name", "expected a text"),
            Finding::error("UNKNOWN_STEP", "/startStepId", "no step is called `x`"),
        ]
    }

    #[test]
    fn known_codes_are_translated_and_the_rest_stays_english() {
        let mut shown = findings();
        localise(&mut shown, &French, &["fr".into()]);
        let texts: Vec<&str> = shown.iter().map(|f| f.message.as_str()).collect();
        assert_eq!(
            texts,
            [
                "il manque `stepId`",
                "mauvais type",
                "no step is called `x`"
            ]
        );
        let pointers = |list: &[Finding]| {
            list.iter()
                .map(|f| (f.code.clone(), f.pointer.clone()))
                .collect::<Vec<_>>()
        };
        assert_eq!(pointers(&shown), pointers(&findings()));
    }

    struct Limits;

    impl MessageCatalog for Limits {
        fn message(&self, _: &str, args: &Map<String, Value>, _: &[String]) -> Option<String> {
            Some(format!("{} > {}", args.get("actual")?, args.get("limit")?))
        }
    }

    #[test]
    fn a_catalogue_is_given_the_arguments() {
        let mut shown = findings();
        shown.push(
            Finding::error("maximum", "/jitter", "too large")
                .with_argument("limit", 1)
                .with_argument("actual", 2),
        );
        localise(&mut shown, &Limits, &[]);
        let last = shown.pop().unwrap();
        assert_eq!(last.message, "2 > 1");
        assert_eq!(shown, findings());
    }

    #[test]
    fn an_unknown_locale_is_english() {
        let mut shown = findings();
        localise(&mut shown, &French, &["xx".into()]);
        assert_eq!(shown, findings());
    }
}
