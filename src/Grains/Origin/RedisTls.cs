using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using RpOrleans.Grains.Settings;

namespace RpOrleans.Grains.Origin;

// The client library could do this too, but once a handshake has failed it calls every later failure one of the login, and
// it sets a handshake no deadline. Here all sockets to Redis go the same way, the library's and our own.

/// <summary>TLS to Redis: issuer, dates and host name are checked before anything is sent, and there is no way around it.</summary>
internal static class RedisTls
{
    /// <summary>Puts TLS around a connection that was made just now.</summary>
    /// <param name="connection">The connection; closed if it cannot be trusted.</param>
    /// <param name="host">The name or address that its certificate must bear.</param>
    /// <param name="options">Whom to trust.</param>
    /// <param name="atMost">How long the handshake may take.</param>
    /// <returns>What to talk over.</returns>
    /// <exception cref="OriginException">It cannot be trusted, or was not answered in time.</exception>
    /// <exception cref="IOException">The connection was closed meanwhile.</exception>
    public static async Task<Stream> AuthenticateAsync(Stream connection, string host, RedisOptions options, TimeSpan atMost)
    {
        var tls = new SslStream(connection);
        try
        {
            using var patience = new CancellationTokenSource(atMost);
            await tls.AuthenticateAsClientAsync(
                new SslClientAuthenticationOptions { TargetHost = host.Trim('[', ']'), CertificateChainPolicy = PolicyOf(options) }, patience.Token).ConfigureAwait(false);
            return tls;
        }
        catch (Exception failure)
        {
            await tls.DisposeAsync().ConfigureAwait(false);
            throw failure switch
            {
                AuthenticationException => new OriginException(OriginFault.Untrusted, inner: failure),
                OperationCanceledException => new OriginException(OriginFault.TimedOut, inner: failure),
                ObjectDisposedException => new IOException("The connection was closed during the handshake.", failure),
                _ => failure,
            };
        }
    }

    private static X509ChainPolicy PolicyOf(RedisOptions options)
    {
        var policy = new X509ChainPolicy
        {
            RevocationMode = X509RevocationMode.NoCheck, // a list would have to be fetched, and a fetch may take longer than a connect
            DisableCertificateDownloads = true,
        };
        if (options.TlsAuthorities is { } authorities)
        {
            policy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            policy.CustomTrustStore.AddRange(authorities);
        }

        return policy;
    }
}
