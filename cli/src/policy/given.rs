//! The files that the commands about policies are given: policy, framework, brake, and the data dictionary they are read under.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use cairn_policy::folder::{BRAKE_FILE, FRAMEWORK_FILE};
use cairn_policy::{File, Finding, Layers, Sources, altered_framework, london_day, render_all};
use cairn_question::{Day, Schema};
use clap::Args;

use super::FRAMEWORK;
use crate::failure::Failure;
use crate::{context, files, say, schema};

/// One policy with what it is read under.
#[derive(Args)]
pub(crate) struct Files {
    /// The policy file
    #[arg(value_name = "FILE")]
    pub(super) policy: PathBuf,
    #[command(flatten)]
    pub(super) under: Under,
}

/// What a policy is read under.
#[derive(Args)]
pub(crate) struct Under {
    /// The framework; without it, `framework.toml` beside the policy, or else the one this program was built with
    #[arg(long, value_name = "FILE")]
    pub(super) framework: Option<PathBuf>,
    /// Another data dictionary (codes.toml, templates.toml and tables/), to try a policy against an edition not yet in force
    #[arg(long, value_name = "FOLDER")]
    pub(super) dictionary: Option<PathBuf>,
}

/// A policy in force and one that is to replace it.
#[derive(Args)]
pub(crate) struct Pair {
    /// The policy file in force
    #[arg(value_name = "OLD")]
    pub(super) old: PathBuf,
    /// The policy file that is to replace it
    #[arg(value_name = "NEW")]
    pub(super) new: PathBuf,
    #[command(flatten)]
    pub(super) under: Under,
    /// The framework of OLD, where it is another than that of NEW
    #[arg(long, value_name = "FILE")]
    pub(super) framework_old: Option<PathBuf>,
}

/// A policy that loads, with its texts.
pub(super) struct Loaded {
    pub(super) sources: Sources,
    pub(super) layers: Layers,
    pub(super) schema: &'static Schema,
}

impl Files {
    /// The texts, and the dictionary to read them under.
    pub(super) fn read(&self) -> Result<(Sources, &'static Schema), Failure> {
        Ok((sources(&self.policy, self.under.framework.as_deref())?, self.under.schema()?))
    }

    /// The policy under its framework and brake. Where it has errors, all of them are shown first.
    pub(super) fn load(&self) -> Result<Loaded, Failure> {
        self.under.load(&self.policy)
    }
}

impl Pair {
    /// Both policies, each with its own framework.
    pub(super) fn load(&self) -> Result<(Loaded, Loaded), Failure> {
        let framework = self.framework_old.as_ref().or(self.under.framework.as_ref());
        Ok((self.under.load_with(&self.old, framework)?, self.under.load(&self.new)?))
    }
}

impl Under {
    pub(super) fn load(&self, policy: &Path) -> Result<Loaded, Failure> {
        let loaded = self.load_with(policy, self.framework.as_ref())?;
        // Most commands show no findings; this one says that the national board's rules may not be what is read here.
        if let Some(Finding { code, file, says, fix, .. }) = altered_framework(&loaded.sources.framework) {
            say::warning(code, &format!("{file}: {says}; {}", fix.unwrap_or_default()));
        }
        Ok(loaded)
    }

    pub(super) fn load_with(&self, policy: &Path, framework: Option<&PathBuf>) -> Result<Loaded, Failure> {
        let (sources, schema) = (sources(policy, framework.map(PathBuf::as_path))?, self.schema()?);
        match Layers::load_with(schema, &sources) {
            Ok(layers) => Ok(Loaded { sources, layers, schema }),
            Err(findings) => Err(faulty(&findings, &sources)),
        }
    }

    /// The dictionary: the one named, or the one this program was built with.
    pub(super) fn schema(&self) -> Result<&'static Schema, Failure> {
        self.dictionary.as_deref().map_or_else(|| Ok(Schema::smf()), dictionary)
    }
}

/// Shows every finding of a policy that does not load.
pub(super) fn faulty(findings: &[Finding], sources: &Sources) -> Failure {
    say::out(&render_all(findings, sources));
    let says = format!("{} has errors, so it was not used", sources.policy.name);
    Failure::bad_file("CC401", says)
}

/// A file with its path as its name.
pub(super) fn file(path: &Path) -> Result<File, Failure> {
    Ok(File::new(path.display().to_string(), files::read_text(path)?))
}

/// The file beside another.
pub(super) fn beside(path: &Path, name: &str) -> PathBuf {
    path.parent().unwrap_or(Path::new("")).join(name)
}

/// Today, in Europe/London.
pub(super) fn today() -> Day {
    london_day(context::now())
}

pub(super) fn sources(policy: &Path, framework: Option<&Path>) -> Result<Sources, Failure> {
    let near = beside(policy, FRAMEWORK_FILE);
    let framework = match framework {
        Some(path) => file(path)?,
        // One that is there and cannot be read was meant: another must not take its place unseen.
        None if files::is_absent(&near) => File::new("framework.toml (built in)", FRAMEWORK),
        None => file(&near)?,
    };
    let brake = Some(beside(policy, BRAKE_FILE)).filter(|path| !files::is_absent(path));
    Ok(Sources { framework, policy: file(policy)?, brake: brake.map(|path| file(&path)).transpose()? })
}

/// The dictionary in a folder; one run of the program reads one.
fn dictionary(folder: &Path) -> Result<&'static Schema, Failure> {
    static READ: OnceLock<Schema> = OnceLock::new();
    if let Some(read) = READ.get() {
        return Ok(read);
    }
    let documents = schema::read(folder).map_err(|says| Failure::new("CC102", says))?;
    let parsed = Schema::parse(&documents).map_err(|faults| {
        for fault in &faults {
            say::error(fault.code, &format!("{}: {}", fault.file, fault.what));
        }
        Failure::bad_file("CC405", format!("the data dictionary in {} has errors", folder.display()))
    })?;
    Ok(READ.get_or_init(|| parsed))
}
