//! stub
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}
pub(super) fn run(
    _: &Args,
    _: &mut crate::cli::call::Call<'_, '_>,
) -> Result<crate::cli::Exit, crate::cli::error::CliError> {
    Ok(0)
}
