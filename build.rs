//! Compiles `proto/` with protox, so that nobody needs `protoc`, and writes the descriptor set
//! that reflection and the command line's JSON use.

use std::{env, fs, path::PathBuf};

use prost_types::FileDescriptorSet;

#[expect(
    clippy::disallowed_methods,
    reason = "this is how Cargo talks to build scripts"
)]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=proto/seatwise");
    let mut files: Vec<PathBuf> = fs::read_dir("proto/seatwise/v1")?
        .map(|entry| Ok(entry?.path()))
        .collect::<std::io::Result<_>>()?;
    files.sort();

    let mut compiler = protox::Compiler::new(["proto"])?;
    compiler.include_source_info(true).include_imports(true);
    compiler.open_files(files)?;
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(
        out.join("seatwise.binpb"),
        compiler.encode_file_descriptor_set(),
    )?;
    let descriptors = compiler.file_descriptor_set();
    fs::write(out.join("methods.rs"), methods(&descriptors))?;
    let mut config = prost_build::Config::new();
    // The command line finds a message's descriptor, and so its JSON form, by its name.
    config.enable_type_names();
    tonic_prost_build::configure().compile_fds_with_config(descriptors, config)?;
    Ok(())
}

/// The RPCs as an enumeration, so that whoever must say something about each cannot forget one.
fn methods(descriptors: &FileDescriptorSet) -> String {
    let mut names = Vec::new();
    for file in descriptors
        .file
        .iter()
        .filter(|file| file.package() == "seatwise.v1")
    {
        for service in &file.service {
            let methods = service.method.iter();
            names.extend(
                methods.map(|method| (service.name().to_owned(), method.name().to_owned())),
            );
        }
    }
    let variants: String = names
        .iter()
        .map(|(_, method)| format!("{method}, "))
        .collect();
    let listed = |form: fn(&str, &str) -> String| -> String {
        names
            .iter()
            .map(|(service, method)| form(service, method))
            .collect()
    };
    let all = listed(|_, method| format!("Self::{method}, "));
    let name = listed(|service, method| format!("Self::{method} => \"{service}/{method}\", "));
    format!(
        "/// An RPC of the package `seatwise.v1`. No two services have one of the same name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Method {{ {variants} }}
        impl Method {{
            /// All of them.
            pub const ALL: [Self; {count}] = [{all}];
            /// Its name with its service's, as `UserService/CreateUser`.
            pub const fn name(self) -> &'static str {{ match self {{ {name} }} }}
        }}",
        count = names.len(),
    )
}
