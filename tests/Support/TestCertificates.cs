using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace RpOrleans.Tests.Support;

/// <summary>An authority of a test's own, and what it vouches for, as files for a Redis.</summary>
internal sealed class TestCertificates : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("certificates-");
    private readonly X509Certificate2 _authority;

    public TestCertificates()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN=authority {Guid.NewGuid():N}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        _authority = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-10), DateTimeOffset.UtcNow.AddDays(10));
        File.WriteAllText(AuthorityFile, _authority.ExportCertificatePem());
    }

    /// <summary>For <c>REDIS_TLS_CA</c>.</summary>
    public string AuthorityFile => Path.Combine(_directory.FullName, "ca.pem");

    /// <summary>The arguments of a Redis that has TLS on this port, with a certificate for these names and addresses.</summary>
    /// <param name="port">The port.</param>
    /// <param name="names">The names and addresses.</param>
    /// <param name="daysLeft">How long the certificate holds; negative when it has expired.</param>
    public string[] RedisArguments(int port, string[] names, int daysLeft = 5)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=redis", key, HashAlgorithmName.SHA256);
        var alternatives = new SubjectAlternativeNameBuilder();
        foreach (var name in names)
        {
            if (IPAddress.TryParse(name, out var address))
            {
                alternatives.AddIpAddress(address);
            }
            else
            {
                alternatives.AddDnsName(name);
            }
        }

        request.CertificateExtensions.Add(alternatives.Build());
        using var certificate = request.Create(
            _authority, DateTimeOffset.UtcNow.AddDays(-9), DateTimeOffset.UtcNow.AddDays(daysLeft), RandomNumberGenerator.GetBytes(8));
        var (certificateFile, keyFile) = (Path.Combine(_directory.FullName, $"{port}.pem"), Path.Combine(_directory.FullName, $"{port}.key"));
        File.WriteAllText(certificateFile, certificate.ExportCertificatePem());
        File.WriteAllText(keyFile, key.ExportPkcs8PrivateKeyPem());
        return ["--tls-port", $"{port}", "--tls-cert-file", certificateFile, "--tls-key-file", keyFile, "--tls-ca-cert-file", AuthorityFile, "--tls-auth-clients", "no"];
    }

    public void Dispose()
    {
        _authority.Dispose();
        _directory.Delete(recursive: true);
    }
}
