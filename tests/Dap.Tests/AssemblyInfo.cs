using Xunit;

[assembly: AssemblyFixture(typeof(Dap.Tests.Recordings))]
